"""What the documentation site does beyond MkDocs: formulas as MathML, and the repository's files that pages link to.

MathML is drawn by browsers themselves, so that a page needs neither a script nor the network.
"""

import re
from html import unescape
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OUTSIDE = re.compile(r"\]\(\.\./([^)#]+)")
"""A link from docs/ to another file of the repository, which the site keeps at the same place below its own root."""
INTO_DOCS = re.compile(r"\]\(((?:\.\./)+)docs/")
"""A link from a file elsewhere in the repository to a page of docs/, which the site has at its own root."""
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
"""As pymdownx.arithmatex leaves $…$ and $$…$$."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the repository's files that pages link to, and CONTRIBUTING.md."""
    linked = {link for page in files.documentation_pages() if is_at_top(page) for link in linked_from(page)}
    for path in sorted({*linked, "CONTRIBUTING.md"}):
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def is_at_top(page: File) -> bool:
    """Whether a page lies in docs/ itself, whose parent is the repository."""
    return "/" not in page.src_uri


def linked_from(page: File) -> list[str]:
    """Files of the repository outside docs/, as paths in it."""
    return OUTSIDE.findall(page.content_string)


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Links out of docs/ and into it, as the site has them."""
    return OUTSIDE.sub(r"](\1", markdown) if is_at_top(page.file) else INTO_DOCS.sub(r"](\1", markdown)


def on_page_content(html: str, **_: object) -> str:
    """Formulas as MathML."""
    return FORMULA.sub(as_mathml, html)


def as_mathml(formula: re.Match[str]) -> str:
    """One formula, inline or on a line of its own."""
    display = "block" if formula[1] == "div" else "inline"
    return convert(unescape(formula[2]).strip(), display=display)
