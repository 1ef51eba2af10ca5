"""A table that exists already is adopted, or refused in a sentence that says why."""

from typing import Any

import pytest

from components import ArgumentError, StreamTriggeredCounter
from components.testing import RecordingMonitor, Result, run

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/tutorial"
STREAM = f"{TABLE}/stream/2024-01-01T00:00:00.000"
DESCRIPTION: dict[str, Any] = {
    "arn": TABLE,
    "name": "tutorial",
    "hashKey": "ID",
    "rangeKey": "",
    "streamArn": STREAM,
    "streamEnabled": True,
    "streamViewType": "NEW_AND_OLD_IMAGES",
}


def adopt(preview: bool = False, **different: Any) -> Result:
    monitor = RecordingMonitor(
        preview=preview, invokes={"aws:dynamodb/getTable:getTable": lambda _: DESCRIPTION | different}
    )
    args: Any = {"existing_table": {"table_arn": TABLE, "stream_arn": STREAM}}
    return run(lambda: StreamTriggeredCounter("counter", args), monitor=monitor)


@pytest.mark.parametrize("preview", [False, True])
def test_an_adopted_table_is_used_and_not_created(preview: bool) -> None:
    result = adopt(preview)
    assert [table.name for table in result.all("aws:dynamodb/table:Table")] == [
        "counter-ledger",
        "counter-idempotency",
    ]
    [invoke] = result.invokes
    assert invoke.arguments["name"] == "tutorial"
    assert result.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs["eventSourceArn"] == STREAM
    variables = result.one("aws:lambda/function:Function", "counter-record-visit").inputs["environment"]["variables"]
    assert variables["TABLE_NAME"] == "tutorial"
    outputs = result.one("stream-triggered-counter:index:StreamTriggeredCounter").outputs
    assert outputs is not None
    assert (outputs["tableName"], outputs["tableArn"], outputs["streamArn"]) == ("tutorial", TABLE, STREAM)


def test_a_new_image_alone_is_enough() -> None:
    assert adopt(streamViewType="NEW_IMAGE").warnings == []


@pytest.mark.parametrize(
    ("different", "sentence"),
    [
        ({"streamEnabled": False, "streamArn": "", "streamViewType": ""}, r"stream_arn: .*tutorial has no stream"),
        ({"streamViewType": "KEYS_ONLY"}, r"stream_arn: .*'KEYS_ONLY', which leaves the new image out"),
        ({"streamViewType": "OLD_IMAGE"}, r"stream_arn: .*'OLD_IMAGE', which leaves the new image out"),
        ({"streamArn": f"{TABLE}/stream/2025"}, r"stream_arn: .*is not the stream that table tutorial has now"),
        ({"hashKey": "pk"}, r"table_arn: the key of table tutorial is 'pk'"),
        ({"rangeKey": "sk"}, r"table_arn: the key of table tutorial is 'ID and sk'"),
    ],
)
def test_a_table_that_cannot_be_counted_in_is_refused(different: dict[str, Any], sentence: str) -> None:
    # The table is known only while resources are created; the sentence still comes out alone.
    with pytest.raises(ArgumentError, match=rf"^existing_table\.{sentence}"):
        adopt(**different)
