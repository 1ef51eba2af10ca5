"""What a component says while it is constructed reaches the engine."""

from .engine import Plugin, output, text_archive

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/Busy/stream/2026-01-01T00:00:00.000"
CODE = text_archive({"app.py": "def handler(event, context): ..."})
FIRST, SECOND, THIRD = "first", "second", "third"


def warnings_of(plugin: Plugin, *names: str, stream: str) -> dict[str, list[str]]:
    """Construct consumers of one stream, and give the warnings about each."""
    inputs = {"streamArn": output(stream), "code": CODE, "handler": "app.handler"}
    found = {}
    for name in names:
        messages = plugin.construct("StreamConsumer", inputs, name=name).messages
        found[name] = [message.text for message in messages if message.severity == "warning"]
    return found


def test_third_consumer_of_a_stream_gets_a_warning(plugin: Plugin) -> None:
    found = warnings_of(plugin, FIRST, SECOND, THIRD, stream=STREAM)
    assert found[FIRST] == found[SECOND] == []
    (warning,) = found[THIRD]
    assert warning.startswith("This is consumer 3 of one stream. DynamoDB serves 2 readers of a shard")


def test_consumers_are_not_counted_again_in_the_update_after_a_preview(plugin: Plugin) -> None:
    stream = STREAM.replace("Busy", "Quiet")
    assert warnings_of(plugin, FIRST, SECOND, FIRST, SECOND, stream=stream) == {FIRST: [], SECOND: []}


def test_the_counter_itself_is_the_first_consumer_of_its_stream(plugin: Plugin) -> None:
    counter = plugin.construct("StreamTriggeredCounter", {}, name="busy")
    found = warnings_of(plugin, FIRST, SECOND, stream=counter.state["streamArn"])
    assert found[FIRST] == []
    assert "consumer 3 of one stream" in found[SECOND][0]
