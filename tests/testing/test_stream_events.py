"""Stream events look as Lambda's do."""

from components.testing import StreamEvents


def test_records_of_one_stream_rise() -> None:
    events = StreamEvents()
    sequences = [int(record["dynamodb"]["SequenceNumber"]) for record in (events.insert("a"), events.remove("a", 1))]
    assert sequences[0] < sequences[1]


def test_a_visit_has_both_images() -> None:
    change = StreamEvents().modify("a", 3)["dynamodb"]
    assert change["NewImage"] == {"ID": {"S": "a"}, "Count": {"N": "3"}}
    assert change["OldImage"] == {"ID": {"S": "a"}, "Count": {"N": "2"}}
    assert change["Keys"] == {"ID": {"S": "a"}}


def test_a_record_has_every_field_of_lambdas() -> None:
    assert StreamEvents().modify("a", 2) == {
        "eventID": "00000000000000056bc75e2d63100001",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_225_600.0,
            "Keys": {"ID": {"S": "a"}},
            "NewImage": {"ID": {"S": "a"}, "Count": {"N": "2"}},
            "OldImage": {"ID": {"S": "a"}, "Count": {"N": "1"}},
            "SequenceNumber": "100000000000000000001",
            "SizeBytes": 64,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/visits/stream/2026-01-01T00:00:00.000",
    }


def test_counts_are_the_callers() -> None:
    events = StreamEvents()
    assert events.insert("a")["dynamodb"]["NewImage"]["Count"] == {"N": "1"}
    assert events.insert("a", 5)["dynamodb"]["NewImage"]["Count"] == {"N": "5"}
    assert events.modify("a", 9, before=0)["dynamodb"]["OldImage"]["Count"] == {"N": "0"}
    assert events.remove("a", 3)["dynamodb"]["OldImage"]["Count"] == {"N": "3"}


def test_the_first_visit_and_a_deletion_have_one_image() -> None:
    events = StreamEvents()
    assert "OldImage" not in events.insert("a")["dynamodb"]
    assert "NewImage" not in events.remove("a", 1)["dynamodb"]


def test_the_stream_is_named() -> None:
    events = StreamEvents("t", label="2030-01-01T00:00:00.000", region="eu-west-1", account="1" * 12)
    record = events.insert("a")
    expected = "arn:aws:dynamodb:eu-west-1:111111111111:table/t/stream/2030-01-01T00:00:00.000"
    assert record["eventSourceARN"] == events.stream_arn == expected
    assert record["awsRegion"] == "eu-west-1"


def test_a_batch_holds_its_records_in_order() -> None:
    events = StreamEvents()
    records = [events.insert("a"), events.insert("b")]
    assert StreamEvents.batch(records) == {"Records": records}


def test_a_window_has_every_field_of_lambdas() -> None:
    events = StreamEvents()
    records = [events.insert("a")]
    assert events.window(records, {"sum": 1}) == {
        "Records": records,
        "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:15:00Z"},
        "state": {"sum": 1},
        "shardId": "shardId-00000001767225600000-1a2b3c4d",
        "eventSourceARN": events.stream_arn,
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }
    end = events.window(shard_id="shardId-1", final=True)
    assert (end["Records"], end["state"], end["shardId"], end["isFinalInvokeForWindow"]) == ([], {}, "shardId-1", True)
