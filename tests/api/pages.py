"""What a page consists of, as an HTML parser sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Page:
    """A page's elements with the names of their attributes, the attributes' values, and the text of each element."""

    elements: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, tuple(name for name, _ in attrs)))
        self.page.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.page.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.page.elements.append(("<!--", (data,)))


def read_page(html: str) -> Page:
    """Parse `html`."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
