"""What a tag may be, as it arrives in a path."""

from typing import Any
from urllib.parse import quote

import pytest

from functions import tags
from functions.problems import ProblemError
from tests.functions.gateway import request

pytestmark = pytest.mark.usefixtures("tables")

GOOD = {
    "tech": "tech",
    "%3Cscript%3E": "<script>",
    "a%20b": "a b",
    "a+b": "a+b",
    "a%2Bb": "a+b",
    "%C3%A4": "ä",
    "a%CC%88": "ä",
    "%F0%9F%A6%86": "🦆",
    "Tech": "Tech",
    "counter": "counter",
    "...": "...",
    "a.": "a.",
    "%20": " ",
    "a" * 200: "a" * 200,
    "a%CC%88" * 200: "ä" * 200,
    "%F0%9F%A6%86" * 200: "🦆" * 200,
    "%E2%80%AE": "\u202e",
    "a%3Bb=c,d": "a;b=c,d",
    "me@home:~$!*'()": "me@home:~$!*'()",
}
BAD = ["COUNTER", "%43OUNTER", ".", "..", "%2E%2E", "%00", "a%0A", "%7F", "%C2%85", "a" * 201, "%FF", "%C3", "a" * 8000]
BAD += ["100%25", "%253C", "%25252F", "a%3Fb"]


@pytest.mark.parametrize("sent", GOOD, ids=range(len(GOOD)))
def test_a_tag_comes_as_it_was_meant(sent: str) -> None:
    assert request("GET", f"/tag/{sent}").json["tag"] == GOOD[sent]
    assert request("GET", f"/counts/{quote(quote(GOOD[sent], safe=''), safe='%')}").json["count"] == 1


@pytest.mark.parametrize("sent", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize(
    ("method", "prefix"),
    [("GET", "/tag/"), ("POST", "/tag/"), ("GET", "/tags/"), ("GET", "/counts/"), ("GET", "/count/"), ("PUT", "/tag/")],
)
def test_what_is_no_tag_is_a_problem_that_says_why(method: str, prefix: str, sent: str, tables: Any) -> None:
    answer = request(method, prefix + sent)
    assert answer.status == 400
    problem = answer.json
    assert problem["field"] == "tag"
    assert len(problem["value"]) <= 101
    assert "200 characters" in problem["detail"]
    assert tables.scan(TableName="visits")["Count"] == 0


@pytest.mark.parametrize("arrived", ["%FF", "a%C3", "\ud800", "%ED%A0%80", "100%", "a%41", "literal?value", "a/b"])
def test_what_no_gateway_hands_over_as_it_was_meant_is_refused_however_it_arrives(arrived: str) -> None:
    with pytest.raises(ProblemError):
        tags.checked(arrived)


def test_upper_and_lower_case_are_two_tags() -> None:
    request("GET", "/tag/Tech")
    assert request("GET", "/counts/tech").json["count"] == 0
