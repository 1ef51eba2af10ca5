"""The API's promises beyond the form of its answers: which requests are visits, and which visits count once."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET

import pytest

from tests.answers import PREFETCHES
from tests.api.wire import Ask, Reply, Wire
from tests.running import RunningCloud

ROUTES = ["/tag/{tag}", "/tags/{tag}", "/counts/{tag}", "/count/{tag}", "/badge/{tag}"]
VISITS = [("GET", "/tag/"), ("POST", "/tag/"), ("GET", "/tags/"), ("POST", "/tags/"), ("GET", "/badge/")]


@pytest.fixture
def tag() -> str:
    return f"tag-{uuid.uuid4()}"


def count(wire: Wire, tag: str) -> int:
    return int(wire.send("GET", f"/counts/{tag}").json["count"])


def keyed(tag: str, key: str) -> Ask:
    return Ask("POST", f"/tag/{tag}".encode(), {"Idempotency-Key": key})


@pytest.mark.parametrize(("method", "route"), VISITS)
def test_next_read_includes_a_visit(wire: Wire, tag: str, method: str, route: str) -> None:
    for visits in range(1, 6):
        assert wire.send(method, route + tag).status == 200
        assert count(wire, tag) == visits


@pytest.mark.parametrize("route", ROUTES)
def test_head_and_options_are_not_visits(wire: Wire, tag: str, route: str) -> None:
    target = route.format(tag=tag)
    got = wire.send("GET", target)
    before = count(wire, tag)
    head = wire.send("HEAD", target)
    assert (head.status, head.body) == (200, b"")
    assert {name: head.headers[name] for name in ("content-type", "cache-control")} == {
        name: got.headers[name] for name in ("content-type", "cache-control")
    }
    wire.send("OPTIONS", target, {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"})
    assert count(wire, tag) == before


@pytest.mark.parametrize("headers", PREFETCHES, ids=str)
@pytest.mark.parametrize(("method", "route"), VISITS)
def test_prefetch_is_not_a_visit(wire: Wire, tag: str, method: str, route: str, headers: dict[str, str]) -> None:
    reply = wire.send(method, route + tag, headers)
    assert reply.status == (200 if route == "/badge/" else 403)
    assert count(wire, tag) == 0


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT"])
def test_unsupported_method(wire: Wire, tag: str, method: str) -> None:
    reply = wire.send(method, f"/tag/{tag}")
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert count(wire, tag) == 0


def test_concurrent_requests_with_one_key_count_once(wire: Wire, tag: str) -> None:
    key = str(uuid.uuid4())
    replies: list[Reply] = []
    replies += wire.all([keyed(tag, key)] * 12)
    replies += wire.all([keyed(tag, key)])
    answered = [reply for reply in replies if reply.status == 200]
    assert {reply.status for reply in replies} <= {200, 503}
    assert {reply.body for reply in answered} == {answered[0].body}
    assert answered[-1].headers["idempotency-replayed"] == "true"
    assert sum("idempotency-replayed" not in reply.headers for reply in answered) <= 1
    assert count(wire, tag) == 1


def test_concurrent_visits_with_different_keys(wire: Wire, tag: str) -> None:
    requests = [keyed(tag, f"{tag} {number}".replace(" ", "-")) for number in range(24)]
    unkeyed = [Ask("POST", f"/tag/{tag}".encode())] * 8
    replies = wire.all(
        ask for group in zip(requests[::3], requests[1::3], requests[2::3], unkeyed, strict=True) for ask in group
    )
    assert sorted(reply.json["count"] for reply in replies) == list(range(1, 33))
    again = {reply.ask.headers["Idempotency-Key"]: reply.body for reply in wire.all(requests)}
    assert again == {reply.ask.headers["Idempotency-Key"]: reply.body for reply in replies if reply.ask.headers}


def test_reusing_a_key_with_another_tag_is_a_422(wire: Wire, tag: str) -> None:
    key = str(uuid.uuid4())
    assert wire.all([keyed(tag, key)])[0].status == 200
    (refused,) = wire.all([keyed(f"{tag}-2", key)])
    assert refused.status == 422
    assert refused.type == "application/problem+json"
    assert count(wire, f"{tag}-2") == 0


def test_malformed_count_is_a_409_until_it_is_mended(wire: Wire, cloud: RunningCloud, tag: str) -> None:
    table = {"TableName": cloud.outputs["tableName"]}
    cloud.client("dynamodb").put_item(**table, Item={"ID": {"S": tag}, "Count": {"S": "many"}})
    for method, route in (*VISITS, ("GET", "/counts/"), ("GET", "/count/")):
        refused = wire.send(method, route + tag)
        assert (refused.status, refused.type) == (409, "application/problem+json")
        assert "A stored count of the tag is {'S': 'many'}" in refused.json["detail"]
        assert ("The visit was not counted." in refused.json["detail"]) == ((method, route) in VISITS)
    assert wire.all([keyed(tag, str(uuid.uuid4()))])[0].status == 409
    assert wire.send("HEAD", f"/tag/{tag}").status == 200
    cloud.client("dynamodb").put_item(**table, Item={"ID": {"S": tag}, "Count": {"N": "7"}})
    assert wire.send("POST", f"/tag/{tag}").json["count"] == 8


def test_badge_shows_the_count_including_its_own_visit(wire: Wire, tag: str) -> None:
    for shown, query in (("1", ""), ("2", "?count=true"), ("2", "?count=false"), ("2", "?count=false&label=hits")):
        reply = wire.send("GET", f"/badge/{tag}{query}")
        assert reply.type == "image/svg+xml"
        assert "no-store" in reply.headers["cache-control"]
        assert ET.fromstring(reply.body).findall(".//{*}text")[-1].text == shown


def test_list_contains_every_tag_once(wire: Wire, tag: str) -> None:
    mine = {f"{tag}-{number}" for number in range(7)}
    assert all(wire.send("POST", f"/tag/{one}").status == 200 for one in mine)
    listed: list[str] = []
    cursor = ""
    while True:
        page = wire.send("GET", f"/counts?limit=100{cursor}").json
        listed += [row["tag"] for row in page["tags"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert len(listed) == len(set(listed))
    assert mine <= set(listed)
