"""The structure of a page, as an HTML parser sees it."""

from __future__ import annotations

from html.parser import HTMLParser


class Outline(HTMLParser):
    """A page's elements with the names of their attributes, the attributes with their values, and all texts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str]] = []
        self.named: list[tuple[str, list[tuple[str, str]]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.named.append((tag, [(name, value or "") for name, value in attrs]))
        self.attributes += self.named[-1][1]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.elements.append(("<!--", (data,)))

    def values(self, attribute: str) -> list[str]:
        """Return the values of all attributes of this name."""
        return [value for name, value in self.attributes if name == attribute]
