"""Links in the Markdown pages and in the notebooks lead to files, and to headings that are there."""

import json
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in sorted([*ROOT.rglob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")])
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
]


def text(page: Path) -> str:
    """The Markdown of a page, or of a notebook's cells."""
    written = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return written
    return "\n\n".join(
        "".join(cell["source"]) for cell in json.loads(written)["cells"] if cell["cell_type"] == "markdown"
    )


def links(page: Path) -> list[str]:
    """Targets of all links and pictures of a page."""
    inline = (child for token in MarkdownIt().parse(text(page)) for child in token.children or ())
    return [str(target) for child in inline if (target := child.attrGet("href") or child.attrGet("src"))]


def anchors(page: Path) -> set[str]:
    """What a link can name after `#`: the headings, spelled as GitHub does."""
    tokens = MarkdownIt().parse(text(page))
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue  # another site, which tests do not visit
        path, _, anchor = link.partition("#")
        target = page.parent / unquote(path) if path else page
        assert target.exists(), link
        assert not anchor or unquote(anchor) in anchors(target), f"no heading {anchor!r} in {target.name}"
