"""Consoles that print a text as it is: names of others are no markup and no emoji codes."""

from __future__ import annotations

from rich.console import Console
from rich.progress import TextColumn


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Every console of ours: what rich draws on it, tables and their titles included, is literal.

    Colour is given by styles, never by markup.
    """
    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def literal(text: str, style: str = "none") -> TextColumn:
    """A column of a progress bar, whose format `text` may hold names."""
    return TextColumn(text, style=style, markup=False)
