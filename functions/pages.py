"""The API's pages. Whatever comes from outside is escaped, and every link is relative, so that any stage works.

No page holds a script, a style or an event handler of its own: the answer's content security policy forbids them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import chain, repeat
from typing import Any
from urllib.parse import quote

from .static import address

NAME = "Stream-triggered counter"

TREND = (
    '<figure class="trend" id="trend" hidden>'
    '<svg viewBox="0 0 600 96" preserveAspectRatio="none" role="img" aria-labelledby="trend-text">'
    '<path class="area" id="trend-area"></path><path id="trend-line"></path>'
    '<path class="end" id="trend-end"></path></svg>'
    '<figcaption id="trend-text"></figcaption></figure>'
)
"""Where counter.js draws how the count rose while the page was open; without it, there is nothing to see."""


def visit_page(tag: str, count: int) -> str:
    """Return the page that says a visit was recorded."""
    body = (
        f"<h1>Visit recorded</h1>{_figures([('Visits of ' + _tag(tag), count, 'count')])}"
        f"{_actions([('See the count', _tag_link('counts', tag)), ('Record another visit', _tag_link('tag', tag))])}"
    )
    return _layout(f"Visit {count:,} of {tag}", body, "../")


def count_page(tag: str, count: int, total: int, asOf: str | None) -> str:  # noqa: N803 - the field's name
    """Return the page that shows a tag's count and the total, and keeps them fresh."""
    figures = _figures([("Visits", count, "count"), ("All tags together", total, "total")])
    links = [("Record a visit", _tag_link("tag", tag)), ("All tags", "../counts?limit=50")]
    body = f"<h1>{_tag(tag)}</h1>{figures}{TREND}{_freshness(asOf)}{_actions(links)}"
    return _layout(f"{tag}: {count:,}", body, "../", live=("count", count))


def total_page(total: int, asOf: str | None) -> str:  # noqa: N803 - the field's name
    """Return the page that shows the total, and keeps it fresh."""
    figures = _figures([("All tags together", total, "total")])
    body = f"<h1>All visits</h1>{figures}{TREND}{_freshness(asOf)}{_actions([('All tags', 'counts?limit=50')])}"
    return _layout(f"Total: {total:,}", body, "./", live=("total", total))


def tags_page(total: int, tags: Sequence[Mapping[str, Any]], limit: int, next_cursor: str | None) -> str:
    """Return the page that lists some of the tags and leads to the next."""
    rows = "".join(
        f'<tr><td><a href="counts/{quote(row["tag"], safe="")}">{_tag(row["tag"])}</a></td>'
        f"<td>{row['count']:,}</td></tr>"
        for row in tags
    )
    head = '<thead><tr><th scope="col">Tag</th><th scope="col">Visits</th></tr></thead>'
    more = [("More tags", f"counts?limit={limit}&cursor={next_cursor}")] if next_cursor else []
    body = (
        f"<h1>All tags</h1>{_figures([('All tags together', total, 'total')])}<h2>By tag</h2>"
        f"<table>{head}<tbody>{rows}</tbody></table>{_actions([*more, ('The total', 'counts')])}"
    )
    return _layout("All tags", body, "./")


def welcome_page(message: str, table: Mapping[str, Any], echo: Mapping[str, Any], root: str) -> str:
    """Return the page that greets, describes the table and shows the request as it arrived.

    `root` is the way from the page's address to the API's root.
    """
    query = ", ".join(f"{name}={value}" for name, value in echo["query"].items())
    links = [("All visits", "counts"), ("All tags", "counts?limit=50"), ("API description", "openapi.json")]
    body = (
        f"<h1>{NAME}</h1><p>{escape(message)}</p>"
        f'<p>Any name can be a tag: <a href="{root}tag/hello">tag/hello</a> records a visit.</p>'
        f"{_actions((name, root + target) for name, target in links)}"
        f"<h2>The table</h2>{_facts(table)}<h2>Your request</h2>{_facts({**echo, 'query': query or 'none'})}"
    )
    return _layout(NAME, body, root)


def _tag(tag: str) -> str:
    # Isolated, so that a tag's writing direction turns nothing around it.
    return f"<bdi>{escape(tag)}</bdi>"


def _tag_link(route: str, tag: str) -> str:
    return f"../{route}/{quote(tag, safe='')}"


def _figures(figures: Iterable[tuple[str, int, str]]) -> str:
    items = (f'<div><dt>{name}</dt><dd id="{key}">{value:,}</dd></div>' for name, value, key in figures)
    return f'<dl class="figures">{"".join(items)}</dl>'


def _facts(facts: Mapping[str, Any]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _actions(links: Iterable[tuple[str, str]]) -> str:
    marks = chain((' class="first"',), repeat(""))
    items = (
        f'<li><a{mark} href="{escape(target)}">{name}</a></li>'
        for mark, (name, target) in zip(marks, links, strict=False)
    )
    return f'<ul class="actions">{"".join(items)}</ul>'


def _freshness(as_of: str | None) -> str:
    hidden = "" if as_of else " hidden"
    moment = f'<time id="as-of" datetime="{escape(as_of or "")}">{escape(_moment(as_of or ""))}</time>'
    return f'<div class="fresh"><p id="state" role="status"></p><p{hidden}>The total is as of {moment}.</p></div>'


def _moment(text: str) -> str:
    """Return a moment as people read it; what another program wrote in its place stays as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.astimezone(UTC):%-d %B %Y, %H:%M:%S} UTC" if at.tzinfo else text


def _layout(title: str, body: str, root: str, live: tuple[str, int] | None = None) -> str:
    script = f'<script type="module" src="{address("counter.js", root)}"></script>' if live else ""
    data = f' data-live="{live[0]}" data-value="{live[1]}"' if live else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{address("counter.css", root)}">'
        f'<link rel="icon" href="{address("icon.svg", root)}">{script}</head><body>'
        f'<header><a href="{root}">{NAME}</a></header><main{data}>{body}</main>'
        "<footer>Counted per tag, and in total.</footer></body></html>"
    )
