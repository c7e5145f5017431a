"""Where tests find what the repository keeps."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
DIGITS_HYBRID = DATA / "digits_hybrid.net"
"""A trained network of all three kinds."""
