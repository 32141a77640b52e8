"""A page of `maskmill report`, made and taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from maskmill.pipeline.cli import main
from tests.support.needs import needs_package


class Page(HTMLParser):
    """The texts of a page by what they are, its charts, the sources of its images, and all addresses in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.warnings: list[str] = []
        self.captions: list[str] = []
        self.parameters = ""
        self.charts: list[str] = []
        self.images: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []
        self._section: str | None = None
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in ("i", "span"):  # a class, with a square of its colour
            return
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("src", "href", "xlink:href") if name in values]
        if tag == "img":
            self.images.append(values["src"] or "")
        if tag == "svg" and self._section:
            self.charts.append(self._section)
        if tag == "section":
            self._section = values.get("aria-label")
        target = {"tr": self.rows, "figcaption": self.captions}.get(tag)
        if target is not None:
            target.append([] if tag == "tr" else "")  # type: ignore[arg-type]
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if values.get("role") == "alert":
            self.warnings.append("")
            tag = "alert"
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "figcaption", "p", "pre"):
            self._open = []

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("td", "th", "code"):
            self.rows[-1][-1] += data
        elif self._open and self._open[-1] == "alert":
            self.warnings[-1] += data
        elif self._open and self._open[-1] == "figcaption":
            self.captions[-1] += data
        elif self._open and self._open[-1] == "pre":
            self.parameters += data

    def row(self, first: str) -> list[str]:
        [found] = [row for row in self.rows if row and row[0] == first]
        return found


def need_report() -> None:
    """Gives the test up where what a report takes is missing."""
    for package in ("matplotlib", "jinja2"):
        needs_package(package, "report")


def page_of(dataset: Path, folder: Path, *, status: int = 0) -> Page:
    """The report of a dataset."""
    need_report()
    output = folder / "page.html"
    assert main(["report", str(dataset), "--output", str(output), "--quiet"]) == status
    return Page(output)
