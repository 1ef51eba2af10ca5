"""What is deployed is what the component packs and configures."""

from __future__ import annotations

import base64
import hashlib
import io
import urllib.request
import zipfile

from components.archive import CARRIED, function_archive, sources
from local.archive import pack, read
from tests.running import RunningCloud


def test_the_archive_is_the_components_to_the_byte(cloud: RunningCloud) -> None:
    packed = pack(read(function_archive(), sources()))
    checksum = base64.b64encode(hashlib.sha256(packed).digest()).decode()
    client = cloud.client("lambda")
    for name in cloud.outputs["functionNames"].values():
        found = client.get_function(FunctionName=name)
        assert found["Configuration"]["CodeSha256"] == checksum
        with urllib.request.urlopen(found["Code"]["Location"], timeout=30) as response:
            assert response.read() == packed


def test_the_archive_holds_the_functions_and_nothing_else() -> None:
    names = zipfile.ZipFile(io.BytesIO(pack(read(function_archive(), sources())))).namelist()
    expected = {f"functions/{path.name}" for path in sources().iterdir() if path.suffix in CARRIED}
    assert set(names) == expected
    assert not [name for name in names if "__pycache__" in name or "test" in name]


def test_every_function_runs_under_a_role_of_its_own(cloud: RunningCloud) -> None:
    client = cloud.client("lambda")
    names = cloud.outputs["functionNames"].values()
    roles = {client.get_function_configuration(FunctionName=name)["Role"] for name in names}
    assert len(roles) == 4


def test_the_stream_feeds_the_function_that_keeps_the_total(cloud: RunningCloud) -> None:
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
