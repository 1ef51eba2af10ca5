"""A tag that is spread over several items counts every visit once, whatever fails, repeats or runs concurrently."""

import contextlib
import logging
import random
from itertools import chain, cycle
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError  # type: ignore[import-untyped]
from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.counting import visits
from functions.counting.idempotency import KeyedVisits
from functions.counting.listing import read_page
from functions.counting.visits import OtherItems, Recorded, read_count, record
from functions.dynamodb.retries import RetryBudget
from functions.dynamodb.spread import counts_of
from functions.dynamodb.tables import SPREAD, item_key, name_of
from functions.http.problems import ProblemError
from functions.view_counts import view_count
from tests.doubles import client_error
from tests.share import times
from tests.total.requests import Requests
from tests.total.steps import FAULTS, inject, interleave
from tests.total.store import Store
from tests.total.world import TABLE, CrashError, World, ample_budget

KEYS = "visits-idempotency"


def listed(store: Any) -> dict[str, int]:
    return {each["tag"]: each["count"] for each in read_page(store, TABLE, 100, None, ample_budget()).tags}


jobs = st.sampled_from(["visit", "keyed visit", "delete"])


@settings(max_examples=times(400))
@example([(["visit", "delete"], [0, 0, 0, 1, 1, 1], 99, "throttle", 3)] * 3)
@given(
    st.lists(
        st.tuples(
            st.lists(jobs, min_size=1, max_size=3),
            st.lists(st.integers(0, 2), max_size=12),
            st.integers(0, 8),
            st.sampled_from(FAULTS),
            st.integers(1, 3),
        ),
        max_size=6,
    )
)
def test_spread_visits_counted_once(bursts: list[tuple[list[str], list[int], int, str, int]]) -> None:
    world = World()
    store = world.store
    store.create(KEYS)
    counted, unknown, number = [0], [0], iter(range(999))

    def visit(items: int, key: str) -> None:
        unknown[0] += 1
        with contextlib.suppress(ProblemError):
            if key:
                KeyedVisits(store, TABLE, KEYS, items).record("a", key, ample_budget(), 0.0)
            else:
                record(store, TABLE, "a", ample_budget(), items, others=OtherItems())
            unknown[0] -= 1
            counted[0] += 1

    for names, choices, at, fault, items in bursts:
        runs: list[Any] = []
        for name in names:
            key = f"k{next(number)}" if name == "keyed visit" else ""
            runs.append(
                (lambda: world.delete("a")) if name == "delete" else (lambda items=items, key=key: visit(items, key))
            )
        inject(store, at, fault)
        for end in interleave(store, runs, chain(choices, cycle(range(3)))):
            # What an operator's deletion does after an error is to be called again.
            if end is not None and not isinstance(end, CrashError) and "delete" not in names:
                raise end
        inject(store, -1, "")
        world.drain()
        tables = store.items(TABLE)
        for each in tables:
            if name_of(each) == "a" != each:
                assert int(tables["a"][SPREAD]["N"]) > int(each.rpartition("/")[2]), "an item that nobody knows of"
        count = sum(int(item["Count"]["N"]) for key, item in tables.items() if name_of(key) == "a")
        assert read_count(store, TABLE, "a", ample_budget()) == count
        assert view_count(store, TABLE, "a", ample_budget(), 2)["count"] == count
        assert listed(store) == ({"a": count} if "a" in tables else {})
    assert world.oracle.truth == world.total
    assert counted[0] <= world.total <= counted[0] + unknown[0]


def test_requests_of_single_item() -> None:
    requests = Requests(Store(TABLE, KEYS))
    assert record(requests, TABLE, "a", ample_budget()) == Recorded(1)
    assert requests.names == ["update_item"]
    assert KeyedVisits(requests, TABLE, KEYS).record("a", "k", ample_budget()) == Recorded(2)
    assert [len(request.get("TransactItems", ())) for _, request in requests.sent] == [0, 2]
    assert requests.names == ["get_item", "transact_write_items"]
    assert read_count(requests, TABLE, "a", ample_budget()) == 2
    assert requests.names == ["get_item"]
    assert view_count(requests, TABLE, "a", ample_budget())["count"] == 2
    assert [len(request["RequestItems"][TABLE]["Keys"]) for _, request in requests.sent] == [2]
    assert requests.names == ["batch_get_item"]
    assert listed(requests) == {"a": 2}
    assert requests.names == ["scan"]
    assert set(requests.store.items(TABLE)["a"]) == {"ID", "Count", "Since"}


def test_requests_of_spread_tag() -> None:
    requests = Requests(Store(TABLE, KEYS))
    for _ in range(200):
        record(requests, TABLE, "a", ample_budget(), 4, others=OtherItems())
    assert len(requests.store.items(TABLE)) == 4
    assert requests.names.count("transact_write_items") == 3
    assert record(requests, TABLE, "a", ample_budget(), 4, others=OtherItems()) == Recorded(201)
    # The item of the visit is known from the write.
    assert len(requests.sent[1][1]["RequestItems"][TABLE]["Keys"]) == 3
    assert requests.names == ["update_item", "batch_get_item"]
    assert view_count(requests, TABLE, "a", ample_budget(), 4)["count"] == 201
    assert requests.names == ["batch_get_item"]
    assert read_count(requests, TABLE, "a", ample_budget(), 4) == 201
    assert requests.names == ["batch_get_item"]
    assert KeyedVisits(requests, TABLE, KEYS, 4).record("a", "k", ample_budget()) == Recorded(202)
    assert len(requests.sent[-1][1]["TransactItems"]) == 2
    assert requests.names == ["batch_get_item", "transact_write_items"]


def test_visits_spread_evenly() -> None:
    store = Store(TABLE)
    random.seed(1)
    for _ in range(400):
        record(store, TABLE, "a", ample_budget(), 4, others=OtherItems())
    counts = [int(item["Count"]["N"]) for item in store.items(TABLE).values()]
    assert len(counts) == 4
    assert all(70 <= count <= 130 for count in counts)


def test_lowered_number_of_items_all_count() -> None:
    store = Store(TABLE, KEYS)
    for _ in range(50):
        record(store, TABLE, "a", ample_budget(), 5, others=OtherItems())
    assert len(store.items(TABLE)) == 5
    for items in (1, 3):
        count = record(store, TABLE, "a", ample_budget(), items, others=OtherItems()).count
        assert count == read_count(store, TABLE, "a", ample_budget(), items)
        assert view_count(store, TABLE, "a", ample_budget(), items)["count"] == count
        assert KeyedVisits(store, TABLE, KEYS, items).record("a", f"k{items}", ample_budget()) == Recorded(count + 1)
    assert listed(store) == {"a": 54}


def refusing(error: Exception) -> Any:
    def read(request: dict[str, Any]) -> Any:
        raise error

    return read


def unprocessed(request: dict[str, Any]) -> Any:
    """Answer as DynamoDB does if it lacks throughput for a BatchGetItem."""
    return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}


@pytest.mark.parametrize(
    "read",
    [
        refusing(client_error("ProvisionedThroughputExceededException")),
        refusing(client_error("AccessDeniedException")),
        refusing(ReadTimeoutError(endpoint_url="x")),
        unprocessed,
    ],
)
def test_counted_visit_survives_failed_read(read: Any, caplog: pytest.LogCaptureFixture) -> None:
    requests, now = Requests(Store(TABLE)), [0.0]
    others = OtherItems(lambda: now[0])
    for count in range(1, 51):
        assert record(requests, TABLE, "a", ample_budget(), 3, others=others).count == count
    requests.read = read
    requests.names  # noqa: B018 - forgets what was sent
    with caplog.at_level(logging.WARNING, "functions"):
        assert record(requests, TABLE, "a", ample_budget(), 3, others=others).count == 51
    assert requests.names == ["update_item", "batch_get_item"]
    assert "counts of other items not read" in caplog.text
    for now[0] in (0.0, 0.999):
        record(requests, TABLE, "a", ample_budget(), 3, others=others)
        assert requests.names == ["update_item"]
    requests.read = None
    now[0] = 1.0
    assert record(requests, TABLE, "a", ample_budget(), 3, others=others).count == 54


def test_programming_error_not_a_failed_read() -> None:
    requests = Requests(Store(TABLE))
    while len(requests.store.items(TABLE)) < 2:
        record(requests, TABLE, "a", ample_budget(), 2, others=OtherItems())
    requests.read = refusing(TypeError("a mistake"))
    with pytest.raises(TypeError, match="a mistake"):
        record(requests, TABLE, "a", ample_budget(), 2, others=OtherItems())


@pytest.mark.parametrize("tags", ["abc", "abcde"])
def test_number_of_remembered_tags(tags: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MAX_KNOWN_TAGS", 4)
    requests, others = Requests(Store(TABLE)), OtherItems(lambda: 0.0)
    items = requests.store.items(TABLE)

    def visit(tag: str) -> int:
        return record(requests, TABLE, tag, ample_budget(), 2, others=others).count

    for tag in tags:
        while not {tag, item_key(tag, 1)} <= items.keys():
            visit(tag)
    requests.read = refusing(client_error("ThrottlingException"))
    remembered = [tag for tag in tags if visit(tag) == counts_of([items[tag], items[item_key(tag, 1)]])]
    assert remembered == list(tags) if len(tags) < 4 else len(remembered) <= 4


@pytest.mark.parametrize("keyed", [False, True])
def test_new_item_hides_no_other(keyed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    store, numbers, keys = Store(TABLE, KEYS), list[int](), iter("abcdefghij")
    monkeypatch.setattr(random, "randrange", lambda items: numbers.pop(0))

    def visit(tag: str, items: int, *drawn: int) -> int:
        numbers[:] = drawn
        if keyed:
            return KeyedVisits(store, TABLE, KEYS, items).record(tag, next(keys), ample_budget()).count
        return record(store, TABLE, tag, ample_budget(), items, others=OtherItems()).count

    # The number is lowered, and the new item is not the last.
    assert [visit("a", 5, 0), visit("a", 5, 4), visit("a", 2, 1)] == [1, 2, 3]
    visit("b", 1, 0)
    # The number is raised, and another process raises it further between this one's read and its transaction.
    for tag in "ab":

        def meanwhile(call: str, tag: str = tag) -> None:
            if call == "transact_write_items":
                store.before = lambda call: None
                visit(tag, 6, 5)
                numbers[:] = [3]

        store.before = meanwhile
        visit(tag, 4, 3)
        assert store.items(TABLE)[tag][SPREAD] == {"N": "6"}
    assert listed(store) == {"a": 5, "b": 3}
    assert {key for key, item in store.items(TABLE).items() if SPREAD in item} == {"a", "b"}


def test_lost_answer_visit_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(TABLE)
    monkeypatch.setattr(random, "randrange", lambda items: 1)
    record(store, TABLE, "a", ample_budget(), 2, others=OtherItems())

    def lose(call: str) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    store.after = lose
    with pytest.raises(ProblemError, match="may not have been counted"):
        record(store, TABLE, "a", ample_budget(), 2, others=OtherItems())
    assert {key: item["Count"]["N"] for key, item in store.items(TABLE).items()} == {"a": "0", item_key("a", 1): "2"}


def test_keyed_visit_without_counts_repeatable() -> None:
    requests = Requests(Store(TABLE, KEYS))
    requests.read = unprocessed
    with pytest.raises(ProblemError, match="same Idempotency-Key"):
        KeyedVisits(requests, TABLE, KEYS, 2).record("a", "k", RetryBudget(lambda: 0.0))


@pytest.mark.parametrize("keyed", [False, True])
def test_missing_first_item_created_again(keyed: bool) -> None:
    store = Store(TABLE, KEYS)
    for _ in range(50):
        record(store, TABLE, "a", ample_budget(), 4, others=OtherItems())
    rest = 50 - int(store.items(TABLE)["a"]["Count"]["N"])
    store.delete(TABLE, "a")
    while "a" not in store.items(TABLE):
        rest += 1
        if keyed:
            recorded = KeyedVisits(store, TABLE, KEYS, 4).record("a", f"k{rest}", ample_budget())
        else:
            recorded = record(store, TABLE, "a", ample_budget(), 4, others=OtherItems())
        assert recorded.count == rest
    assert listed(store) == {"a": rest}


@pytest.mark.parametrize("key", ["a/%/0", "a/%/50", "a/%/01", "a/%/", "a/%/x", "a/1", "a%1", "/%/", "7"])
def test_keys_of_other_tags(key: str) -> None:
    assert name_of(key) == key


def test_keys_of_further_items() -> None:
    assert [name_of(item_key("a/%/b", index)) for index in (0, 1, 49)] == ["a/%/b"] * 3
