"""`failures`: a batch that the mapping gave up on is reported, and `reconcile` brings its visits back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.test_visits import settled_total, total, visit
from tests.operator import Operator, stopped_stream
from tests.running import RunningCloud, eventually


@contextmanager
def broken_processor(cloud: RunningCloud, uuid: str) -> Iterator[None]:
    """Let every batch fail, and the mapping give up on records that are older than a second."""
    functions, name = cloud.client("lambda"), cloud.outputs["functionNames"]["processStream"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = {**variables, "TABLE_NAME": "missing"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    age = functions.get_event_source_mapping(UUID=uuid)["MaximumRecordAgeInSeconds"]
    functions.update_event_source_mapping(UUID=uuid, MaximumRecordAgeInSeconds=1)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, MaximumRecordAgeInSeconds=age)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_discarded_batch_is_reported_and_brought_back(operator: Operator) -> None:
    cloud = operator.cloud
    before = settled_total(cloud)
    assert operator.json("failures") == {"messages": [], "deleted": 0}
    with broken_processor(cloud, cloud.outputs["eventSourceMappingId"]):
        with stopped_stream(cloud):
            # One batch, and one report.
            for _ in range(2):
                visit(cloud, "given up")
        eventually(lambda: len(operator.found()) == 1, 30, "a report in the dead-letter queue")
    text = operator.call("failures", status=1)
    assert text.startswith("2 records of shard shardId-")
    assert "Discarded: MaxRecordAgeExceeded after " in text
    assert "1 message in the dead-letter queue.\nThe total lacks visits of these batches until `counter reco" in text
    # Nothing delivers these records again: the mapping has gone on.
    visit(cloud, "later")
    eventually(lambda: total(cloud) == before + 1, 20, "the visit after them")
    assert operator.json("verify", "--wait", "1s", status=1)["missing"] == 2
    assert operator.json("reconcile")["found"] == 2
    assert total(cloud) == before + 3
    assert operator.json("failures", "--clear", "--yes")["deleted"] == 1
    assert operator.found() == []
    assert operator.json("verify")["drift"] == []
