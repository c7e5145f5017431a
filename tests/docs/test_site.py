"""The site: it builds without a broken link, from the documents as they lie in the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.site_hooks import site_links
from tests.support.paths import ROOT


def test_site_builds_and_every_document_is_a_page_of_it(tmp_path: Path) -> None:
    """`strict` makes every link and anchor that leads nowhere an error."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    words = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    pages = {path.stem for path in tmp_path.glob("*.html")}
    documents = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert documents | {"index", "CONTRIBUTING", "CHANGELOG"} <= pages
    assert (tmp_path / "images" / "front.svg").is_file()
    assert not list(tmp_path.rglob("*.py"))
    start = (tmp_path / "index.html").read_text(encoding="utf-8")
    elsewhere = re.findall(r'(?:src|<link[^>]* href)="(https?://[^"]+)"', start)
    assert elsewhere == [], "nothing is fetched from elsewhere"


@pytest.mark.parametrize(
    ("in_repository", "in_site"),
    [
        ("[a](../CONTRIBUTING.md#x)", "[a](CONTRIBUTING.md#x)"),
        ("[a](docs/link.md)", "[a](link.md)"),
        ("[a](../README.md)", "[a](index.md)"),
        ("[a](link.md)", "[a](link.md)"),
        ("[examples/](../examples/)", "examples/"),
        ("[Apache-2.0](LICENSE)", "Apache-2.0"),
    ],
)
def test_links_hold_in_repository_and_site(in_repository: str, in_site: str) -> None:
    assert site_links(in_repository) == in_site
