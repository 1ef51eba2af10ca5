"""The API's pages. All input is escaped, and every link is relative, so pages work at any stage.

Links never record a visit, so crawlers count nothing; forms record visits with POST. Pages contain no inline scripts,
styles or event handlers, which the content security policy forbids.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from ..counting.tags import ALLOWED, IGNORABLE, is_tag
from ..http import routes
from ..http.problems import UNSEEN, ProblemError
from .badge import BLANK, COLORS, DEFAULT_LABEL, MAX_LABEL_LENGTH
from .static import address

NAME = "Stream-triggered counter"

LEAD = "Give a page, a project or a link a tag. Every visit adds one to the tag, and to the total of all tags."

DIGITS = (7, 11, 15, 19, 23, 27, 31, 35, 39, 50)
"""The lengths of numbers for which counter.css has a size of type, so no number breaks. The longest total fits."""

LISTED = 100
"""How many tags the start page reads to find the busiest ones: one page of the list."""

EXAMPLE = "hello"
"""The tag of examples, if any tag is allowed."""

TREND = (
    '<figure class="trend" id="trend" hidden>'
    '<svg viewBox="0 0 600 96" preserveAspectRatio="none" role="img" aria-labelledby="trend-text">'
    '<path class="area" id="trend-area"></path><path id="trend-line"></path>'
    '<path class="end" id="trend-end"></path></svg>'
    '<figcaption id="trend-text"></figcaption></figure>'
)
"""The chart in which counter.js shows how the count rose while the page was open; hidden without JavaScript."""

HEADLINES = {
    "tag": "This tag is not valid",
    "limit": "This limit is not valid",
    "cursor": "This page of the list does not exist",
    "count": "This badge is not valid",
    "label": "This label is not valid",
    "color": "This colour is not valid",
    "Idempotency-Key": "This key is not valid",
    403: "This was not a visit",
    404: "There is no such page",
    405: "This is not possible here",
    409: "This tag has no count",
    422: "This key belongs to another tag",
    500: "Something went wrong",
    503: "The counter is busy",
}
"""The headings of problems, by their field or their status."""

RULES = {
    ALLOWED: "A tag has 1 to 200 characters that can be seen. It must not contain a slash, a question mark or a "
    "percent sign, and COUNTER, a dot and two dots are reserved.",
}
"""Rules in everyday words, by the phrase that problem documents have for them."""


def visit_page(tag: str, count: int) -> str:
    """Return the page that confirms a visit."""
    links = [("See the count", count_link(tag))] if _may_read() else []
    body = (
        f"<h1>Visit recorded</h1>{_figures([('Visits of ' + _tag(tag), count, 'count')])}"
        f"{_actions(links, _form('Record another visit', tag, '../'))}"
    )
    return _layout(f"Visit {count:,} of {tag}", body, "../")


def count_page(tag: str, count: int, total: int, asOf: str | None, *, rebuilding: bool = False) -> str:  # noqa: N803 - the field's name
    """Return the page that shows a tag's count and the total, and updates them."""
    figures = _figures([("Visits", count, "count"), ("All tags together", total, "total")])
    actions = _actions(_all_tags("../"), _form("Record a visit", tag, "../"))
    badge = _badge_maker(tag, "../") if routes.FEATURES.allows(tag) or not routes.FEATURES.count_by_get else ""
    more = f"<details hidden><summary>Show this count on another page</summary>{badge}</details>" if badge else ""
    body = f"<h1>{_tag(tag)}</h1>{figures}{TREND}{_freshness(asOf, rebuilding)}{actions}{more}"
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
    rows = "".join(
        f'<tr><td>{_listed(row["tag"])}</td><td data-digits="{_digits([row["count"]])}">{row["count"]:,}</td></tr>'
        for row in tags
    )
    head = '<thead><tr><th scope="col">Tag</th><th scope="col">Visits</th></tr></thead>'
    table = f"<table>{head}<tbody>{rows}</tbody></table>" if rows else "<p>There are no tags on this page.</p>"
    more = [("More tags", f"counts?limit={limit}&cursor={next_cursor}")] if next_cursor else []
    links = [*more, ("The total", "counts")] if _may_read() else []
    body = (
        f"<h1>All tags</h1>{_figures([('All tags together', total, 'total')])}{_rebuilding(rebuilding)}<h2>By tag</h2>"
        f"{table}{_actions(links)}"
    )
    return _layout("All tags", body, "./")


def welcome_page(table: Mapping[str, Any], echo: Mapping[str, Any], root: str, tag: str = "") -> str:
    """Return the start page: a field for a tag, the busiest tags, a badge, the table and the request as it arrived.

    `root` is the relative URL of the API's root. With a `tag`, the page has a button that records a visit of it.
    """
    query = ", ".join(f"{name}={value}" for name, value in echo["query"].items())
    request = {"Method": echo["method"], "Path": echo["path"], "Query": query or "none"}
    links = [("All visits", "counts"), *_all_tags()] if _may_read() else []
    actions = _actions((name, root + target) for name, target in [*links, ("API description", "openapi.json")])
    badge = _badge_maker(tag or _example(), root)
    shown = f'<section id="badge" hidden><h2>Put a badge somewhere</h2>{badge}</section>' if badge else ""
    body = (
        f"<h1>Count the visits of anything</h1><p>{LEAD}</p>{_field(tag, root)}{_overview(root)}{actions}{shown}"
        f"<details><summary>About this deployment</summary><h2>The table</h2>{_facts(_table_facts(table))}"
        f"<h2>Your request</h2>{_facts(request)}</details>"
    )
    return _layout(NAME, body, root, scripted=True)


def leading_page(tag: str, link: str, root: str) -> str:
    """Return the page that leads to a tag's count, for clients that do not follow redirects."""
    return _layout(tag, f"<h1>{_tag(tag)}</h1>{_actions([('See the count', link)])}", root)


def problem_page(problem: ProblemError, root: str) -> str:
    """Return the page that describes a problem. `root` is the relative URL of the API's root.

    The detail of an invalid value repeats its other members, so the page shows only those.
    """
    members = problem.members
    heading = HEADLINES.get(members.get("field", "")) or HEADLINES.get(int(problem.status), problem.title)
    if "allowed" in members:
        reason = f"<p>{escape(members['reason'])}</p>" if "reason" in members else ""
        rule = RULES.get(members["allowed"], f"It must be {members['allowed']}.")
        value = f"<dt>You sent</dt><dd>{_revealed(members['value'])}</dd>"
        told = f'{reason}<p>{escape(rule)}</p><dl class="facts">{value}</dl>'
    else:
        value = next((members[name] for name in ("path", "value") if name in members), "")
        more = f'<dl class="facts"><dt>You sent</dt><dd>{_revealed(value)}</dd></dl>' if value else ""
        told = f"<p>{escape(problem.detail)}</p>{more}"
    title = f"{int(problem.status)} {problem.title}"
    body = f'<h1>{heading}</h1>{told}{_actions([("Start page", root)])}<p class="quiet">{title}</p>'
    return _layout(title, body, root)


def count_link(tag: str, root: str = "../") -> str:
    """Return the relative URL of a tag's count; `root` is the relative URL of the API's root."""
    return f"{root}counts/{quote(tag, safe='')}"


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


def _may_read() -> bool:
    return routes.FEATURES.read.kind == "NONE"


def _may_record(tag: str) -> bool:
    return routes.FEATURES.record.kind == "NONE" and routes.FEATURES.allows(tag)


def _example() -> str:
    """Return a tag for examples: one that is allowed, "" if only patterns of tags are."""
    allowed = routes.FEATURES.allowed_tags
    return next((tag for tag in allowed if "*" not in tag), "") if allowed else EXAMPLE


def _tag(tag: str) -> str:
    # Spaces alone would be a heading that says nothing and a link that cannot be seen.
    visible = tag if tag.strip(f" {BLANK}") else f"({len(tag)} blank character{'s'[: len(tag) - 1]})"
    # <bdi> keeps the tag's writing direction from affecting the text around it.
    return f"<bdi>{escape(visible)}</bdi>"


def _listed(tag: str) -> str:
    # Other programs may count under keys that are not valid tags and therefore have no page.
    is_linked = is_tag(tag) and _may_read()
    return f'<a href="counts/{quote(tag, safe="")}">{_tag(tag)}</a>' if is_linked else _tag(tag)


def _form(name: str, tag: str, root: str) -> str:
    """Return the button that records a visit, or "" if that is not allowed to everyone.

    `root` is the relative URL of the API's root.
    """
    if not _may_record(tag):
        return ""
    action = f"{root}tag/{quote(tag, safe='')}"
    return f'<form method="post" action="{action}"><button>{name}</button></form>'


def _field(tag: str, root: str) -> str:
    """Return the field that leads to a tag, and below it the button that records a visit if the tag has no page."""
    features = routes.FEATURES
    if not _may_read() and features.record.kind != "NONE":
        return ""
    name = "Show visits" if _may_read() else "Continue"
    any_tag = f"Any name can be a tag, such as <code>{EXAMPLE}</code>."
    hint = f"Visits are counted for {escape(features.allowed)}." if features.allowed_tags else any_tag
    button = f'<div class="chosen">{_tag(tag)}{_form("Record a visit", tag, root)}</div>' if tag else ""
    return (
        f'<form class="field" method="get" action="{root}"><label for="tag">Tag</label>'
        f'<input id="tag" name="tag" required pattern="[^\\/?%]+" title="1 to 200 characters, without / ? %" '
        f'value="{escape(tag)}" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="hint">'
        f'<button>{name}</button><p id="hint">{hint}</p></form>{button}'
    )


def _overview(root: str) -> str:
    """Return the place where counter.js shows the total and the busiest tags, as far as everyone may read them."""
    if not _may_read():
        return ""
    source = f"{root}counts?limit={LISTED}" if routes.FEATURES.listing else f"{root}counts"
    ranking = '<h2 id="ranking-title"></h2><ol class="ranking" id="ranking"></ol>' if routes.FEATURES.listing else ""
    figures = '<dl class="figures"><div><dt>All visits</dt><dd id="total"></dd></div></dl>'
    return f'<section id="overview" data-source="{source}" hidden>{figures}{_rebuilding(False)}{ranking}</section>'


def _badge_maker(tag: str, root: str) -> str:
    """Return the place where counter.js shows a badge and how to embed it, "" if badges are not for everyone."""
    features = routes.FEATURES
    if (features.record if features.count_by_get else features.read).kind != "NONE":
        return ""
    effect = "Each time it is loaded, it records a visit." if features.count_by_get else "It records no visits."
    colors = "".join(f"<option>{name}</option>" for name in COLORS)
    snippets = "".join(
        f'<dt>{name}</dt><dd><code id="snippet-{key}"></code><button type="button" data-copies="snippet-{key}">'
        f'Copy<span class="unseen"> {name}</span></button></dd>'
        for key, name in (("markdown", "Markdown"), ("html", "HTML"), ("address", "Address"))
    )
    return (
        f'<div class="badge" data-tag="{escape(tag)}" data-base="{root}badge/"><p>A badge is an image of a count. '
        f'{effect}</p><p class="preview"><img id="badge-image" height="20" alt=""></p><div class="options">'
        f'<label>Label <input id="badge-label" value="{DEFAULT_LABEL}" maxlength="{MAX_LABEL_LENGTH}" '
        f'autocomplete="off"></label><label>Colour <select id="badge-color" autocomplete="off">{colors}</select>'
        f'</label></div><dl class="snippets">{snippets}</dl><p id="copied" role="status"></p></div>'
    )


def _revealed(value: str) -> str:
    """Return a value with its invisible characters as code points, and spaces at its ends as well."""
    ends = {*range(len(value) - len(value.lstrip(" "))), *range(len(value.rstrip(" ")), len(value))}
    return (
        f"<bdi>{''.join(_seen(each, index in ends) for index, each in enumerate(value))}</bdi>" if value else "nothing"
    )


def _seen(character: str, is_end: bool) -> str:
    is_space = unicodedata.category(character) == "Zs" or character == BLANK
    hidden = unicodedata.category(character) in UNSEEN or character in IGNORABLE
    if hidden or (is_space and (is_end or character != " ")):
        return f"<mark>U+{ord(character):04X}</mark>"
    return escape(character)


def _digits(values: Iterable[int]) -> int:
    """Return the length of the longest number, rounded up to one of `DIGITS`."""
    longest = max(len(f"{value:,}") for value in values)
    return next(length for length in (*DIGITS, longest) if longest <= length)


def _figures(figures: Sequence[tuple[str, int, str]]) -> str:
    items = (f'<div><dt>{name}</dt><dd id="{key}">{value:,}</dd></div>' for name, value, key in figures)
    digits = _digits(value for _, value, _ in figures)
    return f'<dl class="figures" data-digits="{digits}">{"".join(items)}</dl>'


def _facts(facts: Mapping[str, Any]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _actions(links: Iterable[tuple[str, str]], form: str = "") -> str:
    """Return a form and links as a row of buttons, the first of them highlighted; "" if there are none."""
    items = [form] * bool(form) + [f'<a href="{escape(target)}">{name}</a>' for name, target in links]
    return f'<ul class="actions">{"".join(f"<li>{item}</li>" for item in items)}</ul>' if items else ""


def _all_tags(root: str = "") -> list[tuple[str, str]]:
    return [("All tags", f"{root}counts?limit=50")] if routes.FEATURES.listing and _may_read() else []


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


def _layout(title: str, body: str, root: str, live: tuple[str, int] | None = None, *, scripted: bool = False) -> str:
    """Return a whole page. A `live` one names the field of the answer that it shows, and the field's value."""
    # The script cannot send credentials, so it would not be allowed to read.
    live = live if _may_read() else None
    is_scripted = scripted or live
    script = f'<script type="module" src="{address("counter.js", root)}"></script>' if is_scripted else ""
    data = f' data-live="{live[0]}" data-value="{live[1]}"' if live else ""
    icon = address("icon.svg", root)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{address("counter.css", root)}">'
        f'<link rel="icon" href="{icon}">{script}</head><body>'
        f'<header><a href="{root}"><img src="{icon}" alt="" width="24" height="24">{NAME}</a></header>'
        f"<main{data}>{body}</main><footer>Counted per tag, and in total.</footer></body></html>"
    )
