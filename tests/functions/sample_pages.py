"""Pages with a tag in every place that shows one, and the facts of a table."""

from __future__ import annotations

from http import HTTPStatus

from functions.http.problems import ProblemError
from functions.pages import templates

TABLE_FACTS = {
    "name": "visits",
    "status": "ACTIVE",
    "itemCount": 1234,
    "sizeBytes": 56789,
    "createdAt": "2026-01-02T03:04:05+00:00",
    "streamViewType": "NEW_AND_OLD_IMAGES",
}


def tag_pages(tag: str) -> dict[str, str]:
    """Return the pages by kind."""
    moment = "2026-01-02T03:04:05.678Z"
    return {
        "visit": templates.visit_page(tag, 3),
        "count": templates.count_page(tag, 3, 7, moment),
        "tags": templates.tags_page(7, [{"tag": tag, "count": 3}], 1, "YQ"),
        "welcome": templates.welcome_page(
            "hello", TABLE_FACTS | {"name": tag}, {"method": "GET", "path": tag, "query": {tag: tag}}, "./"
        ),
        "problem": templates.problem_page(
            ProblemError(HTTPStatus.NOT_FOUND, tag, path=tag, field=tag, value=tag, allowed=tag), "./"
        ),
    }
