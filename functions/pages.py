"""The API's pages. Whatever comes from outside is escaped, and every link is relative, so that any stage works."""

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote


def visit_page(tag: str, count: int) -> str:
    """Return the page that says a visit was recorded."""
    title = f"Visit {count:,} of {tag}"
    body = f"<p>This visit of <b><bdi>{escape(tag)}</bdi></b> was counted. It is number <b>{count:,}</b>.</p>"
    return _layout(title, body + _tag_links(tag), "../")


def count_page(tag: str, count: int, total: int, asOf: str | None) -> str:  # noqa: N803 - the field's name
    """Return the page that shows a tag's count and the total."""
    body = (
        f"<dl><dt><bdi>{escape(tag)}</bdi></dt><dd>{count:,}</dd>"
        f"<dt>All tags</dt><dd>{total:,}</dd></dl>{_as_of(asOf)}{_tag_links(tag)}"
    )
    return _layout(f"{tag}: {count:,}", body, "../")


def total_page(total: int, asOf: str | None) -> str:  # noqa: N803 - the field's name
    """Return the page that shows the total."""
    return _layout(f"Total: {total:,}", f"<dl><dt>All tags</dt><dd>{total:,}</dd></dl>{_as_of(asOf)}", "./")


def welcome_page(message: str, table: Mapping[str, Any], echo: Mapping[str, Any]) -> str:
    """Return the page that greets, describes the table and shows the request as it arrived."""
    described = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in table.items())
    echoed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in echo.items())
    body = (
        f"<p>{escape(message)}</p><h2>The table</h2><dl>{described}</dl>"
        f"<h2>This request</h2><dl>{echoed}</dl><p><a href='./counts'>The total</a></p>"
    )
    return _layout("Stream-triggered counter", body, "./")


def _tag_links(tag: str) -> str:
    there = quote(tag, safe="")
    return f"<p><a href='../tag/{there}'>Record a visit</a> <a href='../counts/{there}'>See the count</a></p>"


def _as_of(moment: str | None) -> str:
    return f"<p>As of <time datetime='{escape(moment)}'>{escape(moment)}</time></p>" if moment else ""


def _layout(title: str, body: str, root: str) -> str:
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title></head><body><main><h1>{escape(title)}</h1>{body}</main>"
        f"<footer><a href='{root}'>About this counter</a></footer></body></html>"
    )
