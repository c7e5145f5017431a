"""Hooks of mkdocs: the documents at the root of the repository are pages of the site as well.

Links are written so that they hold in the repository; here they are turned to hold in the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOT_PAGES = {"index.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}
ROOT_PAGES["CHANGELOG.md"] = "CHANGELOG.md"
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)?(?:examples/[^)]*|LICENSE)\)")
"""Links to what is no page; their words stay."""


def on_files(files: Any, config: Any) -> Any:
    """Adds the root's pages."""
    from mkdocs.structure.files import File

    for page, source in ROOT_PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **rest: Any) -> str:
    """The page with links as the site has them."""
    return site_links(markdown)


def site_links(markdown: str) -> str:
    """Links between root and docs/, which are one folder in the site; README is its index."""
    inside = OUTSIDE.sub(r"\1", markdown)
    flat = re.sub(r"\]\((?:\.\./|docs/)", "](", inside)
    return flat.replace("](README.md", "](index.md")
