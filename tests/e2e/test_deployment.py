"""The deployed functions contain the files of `functions` and have the configuration of the component."""

from __future__ import annotations

import base64
import hashlib
import io
import urllib.request
import zipfile

from tests.running import ROOT, RunningCloud

# Independent of the component's own list.
PACKED_SUFFIXES = (".py", ".json", ".css", ".js", ".svg", ".html")
NAMES = ("welcome", "recordVisit", "viewCounts", "processStream")


def test_every_function_contains_exactly_the_files_of_the_folder(cloud: RunningCloud) -> None:
    expected = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "functions").rglob("*")
        if path.name.endswith(PACKED_SUFFIXES)
    }
    handlers = {f"functions/{name}.py" for name in ("welcome", "record_visit", "view_counts", "process_stream")}
    files = {"functions/http/openapi.json", "functions/pages/counter.css", "functions/pages/icon.svg"}
    assert handlers | files <= expected.keys()
    client = cloud.client("lambda")
    assert set(cloud.outputs["functionNames"]) == set(NAMES)
    for name in NAMES:
        found = client.get_function(FunctionName=cloud.outputs["functionNames"][name])
        with urllib.request.urlopen(found["Code"]["Location"], timeout=30) as response:
            packed = response.read()
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            assert {entry: archive.read(entry) for entry in archive.namelist()} == expected
        assert found["Configuration"]["CodeSha256"] == base64.b64encode(hashlib.sha256(packed).digest()).decode()


def test_every_function_has_its_own_role(cloud: RunningCloud) -> None:
    client = cloud.client("lambda")
    names = cloud.outputs["functionNames"].values()
    roles = {client.get_function_configuration(FunctionName=name)["Role"] for name in names}
    assert len(roles) == 4


def test_the_stream_is_mapped_to_the_function_that_updates_the_total(cloud: RunningCloud) -> None:
    mapping = cloud.client("lambda").get_event_source_mapping(UUID=cloud.outputs["eventSourceMappingId"])
    assert mapping["EventSourceArn"] == cloud.outputs["streamArn"]
    assert mapping["FunctionArn"].endswith(f":{cloud.outputs['functionNames']['processStream']}")
    assert mapping["State"] == "Enabled"


def test_functions_log_json_to_their_own_group(cloud: RunningCloud) -> None:
    cloud.request("/")
    function = cloud.outputs["functionNames"]["welcome"]
    logging = cloud.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    logs = cloud.client("logs")
    assert logs.describe_log_groups(logGroupNamePrefix=logging["LogGroup"])["logGroups"][0]["retentionInDays"] == 7
    assert logs.describe_log_streams(logGroupName=logging["LogGroup"])["logStreams"] != []
