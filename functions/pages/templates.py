"""The API's pages. All input is escaped, and every link is relative, so pages work at any stage.

Links never record a visit, so crawlers count nothing; forms record visits with POST. Pages contain no inline scripts,
styles or event handlers, which the content security policy forbids.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from ..counting.tags import is_tag
from ..http import routes
from ..http.problems import ProblemError
from .static import address

NAME = "Stream-triggered counter"

TREND = (
    '<figure class="trend" id="trend" hidden>'
    '<svg viewBox="0 0 600 96" preserveAspectRatio="none" role="img" aria-labelledby="trend-text">'
    '<path class="area" id="trend-area"></path><path id="trend-line"></path>'
    '<path class="end" id="trend-end"></path></svg>'
    '<figcaption id="trend-text"></figcaption></figure>'
)
"""The chart in which counter.js shows how the count rose while the page was open; hidden without JavaScript."""


def visit_page(tag: str, count: int) -> str:
    """Return the page that confirms a visit."""
    body = (
        f"<h1>Visit recorded</h1>{_figures([('Visits of ' + _tag(tag), count, 'count')])}"
        f"{_actions([('See the count', count_link(tag))], _form('Record another visit', tag, '../'))}"
    )
    return _layout(f"Visit {count:,} of {tag}", body, "../")


def count_page(tag: str, count: int, total: int, asOf: str | None, *, rebuilding: bool = False) -> str:  # noqa: N803 - the field's name
    """Return the page that shows a tag's count and the total, and updates them."""
    figures = _figures([("Visits", count, "count"), ("All tags together", total, "total")])
    actions = _actions(_all_tags("../"), _form("Record a visit", tag, "../"))
    body = f"<h1>{_tag(tag)}</h1>{figures}{TREND}{_freshness(asOf, rebuilding)}{actions}"
    return _layout(f"{tag}: {count:,}", body, "../", live=("count", count))


def total_page(total: int, asOf: str | None, *, rebuilding: bool = False) -> str:  # noqa: N803 - the field's name
    """Return the page that shows the total, and updates it."""
    figures = _figures([("All tags together", total, "total")])
    actions = _actions(_all_tags())
    body = f"<h1>All visits</h1>{figures}{TREND}{_freshness(asOf, rebuilding)}{actions}"
    return _layout(f"Total: {total:,}", body, "./", live=("total", total))


def tags_page(
    total: int, tags: Sequence[Mapping[str, Any]], limit: int, next_cursor: str | None, *, rebuilding: bool = False
) -> str:
    """Return one page of the list of tags, with a link to the next page."""
    rows = "".join(f"<tr><td>{_listed(row['tag'])}</td><td>{row['count']:,}</td></tr>" for row in tags)
    head = '<thead><tr><th scope="col">Tag</th><th scope="col">Visits</th></tr></thead>'
    table = f"<table>{head}<tbody>{rows}</tbody></table>" if rows else "<p>There are no tags on this page.</p>"
    more = [("More tags", f"counts?limit={limit}&cursor={next_cursor}")] if next_cursor else []
    body = (
        f"<h1>All tags</h1>{_figures([('All tags together', total, 'total')])}{_rebuilding(rebuilding)}<h2>By tag</h2>"
        f"{table}{_actions([*more, ('The total', 'counts')])}"
    )
    return _layout("All tags", body, "./")


def welcome_page(message: str, table: Mapping[str, Any], echo: Mapping[str, Any], root: str) -> str:
    """Return the start page, which describes the table and shows the request as it arrived.

    `root` is the relative URL of the API's root.
    """
    query = ", ".join(f"{name}={value}" for name, value in echo["query"].items())
    request = {"Method": echo["method"], "Path": echo["path"], "Query": query or "none"}
    links = [("All visits", "counts"), *_all_tags(), ("API description", "openapi.json")]
    form = _form("Record a visit of hello", "hello", root)
    actions = _actions(((name, root + target) for name, target in links), form)
    any_name = "" if routes.FEATURES.allowed_tags else "<p>Any name can be a tag, for example <code>hello</code>.</p>"
    body = (
        f"<h1>{NAME}</h1><p>{escape(message)}</p>{any_name}{actions}"
        f"<h2>The table</h2>{_facts(_table_facts(table))}<h2>Your request</h2>{_facts(request)}"
    )
    return _layout(NAME, body, root)


def problem_page(problem: ProblemError, root: str) -> str:
    """Return the page that describes a problem. `root` is the relative URL of the API's root."""
    title = problem.status.phrase
    names = {"field": "Field", "value": "Value", "allowed": "Allowed", "path": "Path"}
    facts = {names[name]: value for name, value in problem.members.items() if name in names}
    more = f"<h2>Details</h2>{_facts(facts)}" if facts else ""
    body = f"<h1>{title}</h1><p>{escape(problem.detail)}</p>{more}{_actions([('Start page', root)])}"
    return _layout(f"{int(problem.status)} {title}", body, root)


def count_link(tag: str) -> str:
    """Return the relative URL of a tag's count, for a page below `/tag/`."""
    return f"../counts/{quote(tag, safe='')}"


def _table_facts(table: Mapping[str, Any]) -> dict[str, str]:
    view = table["streamViewType"]
    return {
        "Name": table["name"],
        "Status": table["status"].replace("_", " ").capitalize(),
        "Items (approximate)": f"{table['itemCount']:,}",
        "Size (approximate)": f"{table['sizeBytes']:,} bytes",
        "Created": _moment(table["createdAt"] or "unknown"),
        "Stream view type": view.replace("_", " ").capitalize() if view else "none",
    }


def _tag(tag: str) -> str:
    # Spaces alone would be a heading that says nothing and a link that nobody sees.
    visible = tag if tag.strip() else f"({len(tag)} blank character{'s'[: len(tag) - 1]})"
    # <bdi> keeps the tag's writing direction from affecting the text around it.
    return f"<bdi>{escape(visible)}</bdi>"


def _listed(tag: str) -> str:
    # Other programs may count under keys that are not valid tags and therefore have no page.
    return f'<a href="counts/{quote(tag, safe="")}">{_tag(tag)}</a>' if is_tag(tag) else _tag(tag)


def _form(name: str, tag: str, root: str) -> str:
    """Return the button that records a visit, or "" if that is not allowed to everyone.

    `root` is the relative URL of the API's root.
    """
    if not routes.FEATURES.allows(tag) or routes.FEATURES.record.kind != "NONE":
        return ""
    action = f"{root}tag/{quote(tag, safe='')}"
    return f'<form method="post" action="{action}"><button>{name}</button></form>'


def _figures(figures: Iterable[tuple[str, int, str]]) -> str:
    items = (f'<div><dt>{name}</dt><dd id="{key}">{value:,}</dd></div>' for name, value, key in figures)
    return f'<dl class="figures">{"".join(items)}</dl>'


def _facts(facts: Mapping[str, Any]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _actions(links: Iterable[tuple[str, str]], form: str = "") -> str:
    """Return a form and links as a row of buttons, the first of them highlighted; "" if there are none."""
    items = [form] * bool(form) + [f'<a href="{escape(target)}">{name}</a>' for name, target in links]
    return f'<ul class="actions">{"".join(f"<li>{item}</li>" for item in items)}</ul>' if items else ""


def _all_tags(root: str = "") -> list[tuple[str, str]]:
    return [("All tags", f"{root}counts?limit=50")] if routes.FEATURES.listing else []


def _rebuilding(now: bool) -> str:
    hidden = "" if now else " hidden"
    return f'<p id="rebuilding"{hidden}>The total is being rebuilt and may be too low.</p>'


def _freshness(as_of: str | None, rebuilding: bool) -> str:
    hidden = "" if as_of else " hidden"
    moment = as_of or ""
    time = f'<time id="as-of" datetime="{escape(moment)}">{escape(_moment(moment))}</time>'
    shown = f"<p{hidden}>The total is as of {time}.</p>{_rebuilding(rebuilding)}"
    return f'<div class="fresh"><p id="state" role="status"></p>{shown}</div>'


def _moment(text: str) -> str:
    """Return a time in a readable form, or `text` itself if it is not a time."""
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
