"""The events of the benchmarks: as Lambda delivers them for a mapping with a tumbling window, and repeatable."""

from __future__ import annotations

import pytest

from benchmarks.traffic import DISTRIBUTIONS, Traffic
from functions.total.records import read_batch

ARN = "arn:aws:dynamodb:eu-west-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"
CREATED = 1_767_225_600.5


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_traffic_is_the_same_in_every_run(distribution: str) -> None:
    first, second = (Traffic(ARN, distribution, CREATED).batch(200) for _ in range(2))
    assert first == second
    tags = len({record["dynamodb"]["Keys"]["ID"]["S"] for record in first["Records"]})
    assert tags in {"uniform": range(190, 201), "zipf": range(60, 170), "one tag": range(1, 2)}[distribution]


def test_unknown_distribution_is_an_error() -> None:
    with pytest.raises(ValueError, match="'even' is not a distribution; allowed: uniform, zipf, one tag"):
        Traffic(ARN, "even", CREATED)


def test_function_reads_every_record_in_order() -> None:
    traffic = Traffic(ARN, "zipf", CREATED)
    batches = [read_batch(traffic.batch(50)) for _ in range(2)]
    sequences = [change.sequence for batch in batches for change in batch.changes]
    assert len(sequences) == 100
    assert sequences == sorted(set(sequences))
    assert {(batch.stream, batch.shard) for batch in batches} == {(ARN, batches[0].shard)}


def test_second_visit_of_a_tag_modifies_it() -> None:
    records = Traffic(ARN, "one tag", CREATED).batch(2)["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY"]
    assert records[1]["dynamodb"]["OldImage"] == records[0]["dynamodb"]["NewImage"]


def test_lines_of_shards_have_tags_of_their_own() -> None:
    traffic = Traffic(ARN, "one tag", CREATED)
    events = [traffic.batch(1, line) for line in range(3)]
    assert len({event["shardId"] for event in events}) == 3
    assert len({event["Records"][0]["dynamodb"]["Keys"]["ID"]["S"] for event in events}) == 3


def test_child_shard_follows_the_end_of_its_parent() -> None:
    traffic = Traffic(ARN, "one tag", CREATED)
    before, end, after = traffic.batch(1), traffic.end_of_shard(), traffic.batch(1)
    assert (end["Records"], end["isFinalInvokeForWindow"]) == ([], True)
    assert before["shardId"] == end["shardId"] != after["shardId"]
    sequences = [int(event["Records"][0]["dynamodb"]["SequenceNumber"]) for event in (before, after)]
    assert sequences[0] < sequences[1]
