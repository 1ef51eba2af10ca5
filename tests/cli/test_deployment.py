"""Where a command finds the deployment that it works on, and what it refuses."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from cli.deployment import (
    FUNCTION_KEYS,
    LOCAL_OUTPUTS,
    LOCAL_PREFIX,
    OPTIONS,
    Deployment,
    DeploymentError,
    deployment,
    read_file,
    read_local,
    write_local,
)
from cli.main import main
from cli.options import deployment_options
from tests.samples import OUTPUTS

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Counts"
KEYS = ", ".join(FUNCTION_KEYS)
STACK = {"tableName": "Counts", "tableArn": ARN, "functionNames": {"welcome": "w"}}


@click.command("sample")
@deployment_options("tableName", "functionNames.processStream", uses=("apiEndpoint",))
def sample(*, deployment: Deployment) -> Deployment:
    return deployment


def call(*arguments: str) -> Deployment:
    found: Deployment = sample.main(list(arguments), standalone_mode=False)
    return found


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a program on the search path that stands for the Pulumi CLI, with its arguments in a file."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def install(script: str) -> Path:
        path = folder / "pulumi"
        path.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/arguments"\n{script}\n', encoding="utf-8")
        path.chmod(0o755)
        return tmp_path / "arguments"

    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return install


def test_a_stack_is_read_by_the_pulumi_cli(pulumi: Callable[[str], Path]) -> None:
    arguments = pulumi(f"echo '{json.dumps(STACK)}'")
    found = call("--stack", "org/visits/prod", "--function-name", "processStream=p")
    assert arguments.read_text().split() == [
        *("stack", "output", "--json", "--non-interactive", "--stack", "org/visits/prod")
    ]
    assert (found.table, found.region, found.endpoint_url) == ("Counts", "eu-west-1", None)
    assert found.functions == {"welcome": "w", "processStream": "p"}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo 'warning: old' >&2; echo 'error: no stack named x found' >&2; exit 255",
            "pulumi cannot read stack 'x': no stack named x found",
        ),
        ("exit 1", "pulumi cannot read stack 'x': no message"),
        ("echo hello", "stack x: the outputs are not JSON"),
        ("echo '[]'", "stack x: the outputs are not a JSON object"),
        ("echo '{}'", "stack x: the output tableName is missing; export it from the program, or give --table"),
        (
            'echo \'{"tableName": "t"}\'',
            "stack x: the output functionNames.processStream is missing; export it from the program, or give "
            "--function-name processStream=…",
        ),
        ("echo '{\"tableName\": 5}'", "stack x: tableName is 5; it must be a text"),
        ('echo \'{"tableName": "t", "functionNames": ["p"]}\'', "stack x: functionNames is ['p']; it must be an"),
    ],
)
def test_a_stack_that_cannot_be_used_is_a_sentence(pulumi: Callable[[str], Path], script: str, message: str) -> None:
    pulumi(script)
    with pytest.raises(click.ClickException) as caught:
        call("--stack", "x")
    assert caught.value.message.startswith(message)


def test_without_the_pulumi_cli_it_says_how_to_do_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(click.ClickException, match=r"the Pulumi CLI is not installed.* give --outputs"):
        call("--stack", "prod")


def test_a_file_of_outputs_is_read_and_options_win(tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({**STACK, "endpointUrl": "http://127.0.0.1:1"}))
    found = call(
        "--outputs", str(path), "--function-name", "processStream=p", "--table", "Other", "--region", "us-east-1"
    )
    assert (found.table, found.region, found.endpoint_url) == ("Other", "us-east-1", "http://127.0.0.1:1")
    assert not found.is_local


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_encoding_of_a_file_is_detected(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "outputs.json"
    outputs = {**STACK, "note": "\u00e9"}
    path.write_text(json.dumps(outputs, indent=2, ensure_ascii=False), encoding=encoding, newline=newline)
    assert read_file(path) == outputs


@pytest.mark.parametrize(
    ("outputs", "name"),
    [
        ({"tableName": "[secret]"}, "tableName"),
        ({"tableName": "t", "tableArn": "[secret]"}, "tableArn"),
        ({"tableName": "t", "functionNames": "[secret]"}, "functionNames"),
        ({"tableName": "t", "functionNames": {"welcome": "w", "processStream": "[secret]"}}, "functionNames"),
    ],
)
def test_secret_output_error_message(
    tmp_path: Path, pulumi: Callable[[str], Path], outputs: dict[str, Any], name: str
) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(outputs))
    pulumi(f"cat {path}")
    for arguments, source in ((("--outputs", str(path)), str(path)), (("--stack", "x"), "stack x")):
        with pytest.raises(click.ClickException) as caught:
            call(*arguments)
        assert caught.value.message == (
            f"{source}: {name} is a secret, whose value was left out; give --outputs with a file that "
            "`pulumi stack output --json --show-secrets` printed"
        )


def test_secret_output_may_be_given_as_an_option(tmp_path: Path) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({**STACK, "tableName": "[secret]", "password": "[secret]"}))
    found = call("--outputs", str(path), "--table", "Counts", "--function-name", "processStream=p")
    assert found.table == "Counts"


@pytest.mark.parametrize("inner", [STACK, {"functionNames": {"processStream": "p"}}, {"tableName": "[secret]"}])
def test_nested_outputs_error_message(tmp_path: Path, pulumi: Callable[[str], Path], inner: dict[str, Any]) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"zone": {"id": "Z1"}, "counter": inner, "other": 5}))
    pulumi(f"cat {path}")
    for arguments, source in ((("--outputs", str(path)), str(path)), (("--stack", "x"), "stack x")):
        with pytest.raises(click.ClickException) as caught:
            call(*arguments, "--table", "t")
        assert caught.value.message == (
            f"{source}: the outputs are inside 'counter'; give --outputs with a file of it alone, as "
            "`pulumi stack output --json counter` prints it"
        )


@pytest.mark.parametrize("content", [None, b"\xff", b"\xff\xfe{"])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "outputs.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeploymentError, match=r"outputs\.json cannot be read"):
        read_file(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Which deployment? Give --stack NAME, --outputs FILE or --local."),
        (["--local", "--stack", "prod"], "--stack and --local name different deployments; give one of them."),
        (["--outputs", "a", "--local"], "--outputs and --local name different deployments"),
        (["--api-endpoint", "https://api"], "Missing option '--table'"),
        (["--table", "t", "--function-name", "p"], "'p' is not a name and a value; allowed: NAME=VALUE"),
        (["--table", "t", "--function-name", "process_stream=p"], f"'process_stream' is unknown; allowed: {KEYS}"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_usage(arguments: list[str], message: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        call(*arguments)
    assert message in caught.value.format_message()


def test_every_output_can_be_given() -> None:
    # The ARNs tell the region of the tables, and no command needs the dashboard.
    assert set(OPTIONS) == OUTPUTS - {"apiId", "tableArn", "streamArn", "dashboardUrl"}
    found = deployment({"streamArn": f"{ARN}/stream/1"})
    assert found.region == "eu-west-1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a folder for temporary files of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def announce(folder: Path, name: str, endpoint: str, **outputs: Any) -> None:
    cloud = folder / f"{LOCAL_PREFIX}{name}"
    cloud.mkdir()
    write_local(cloud, {"endpointUrl": endpoint, **outputs})


def test_the_running_local_cloud_is_found_and_a_killed_one_is_not(folder: Path) -> None:
    with pytest.raises(DeploymentError, match=r"no local cloud of this user is running; start one with `./counter"):
        read_local(None)
    with socket.create_server(("127.0.0.1", 0)) as killed:
        gone = f"http://127.0.0.1:{killed.getsockname()[1]}"
    (folder / f"{LOCAL_PREFIX}starting").mkdir()
    (folder / f"{LOCAL_PREFIX}starting" / LOCAL_OUTPUTS).write_text("{")
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = f"http://127.0.0.1:{server.getsockname()[1]}"
        announce(folder, "a", gone)
        announce(folder, "c", here, **{**STACK, "functionNames": {"processStream": "p"}})
        found = call("--local")
        assert (found.table, found.endpoint_url, found.is_local) == ("Counts", here, True)
        with pytest.raises(DeploymentError, match=rf"no local cloud of this user runs at {gone}; running: {here}$"):
            read_local(gone)


def test_one_of_several_local_clouds_is_chosen_by_its_endpoint(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        first, second = (f"http://127.0.0.1:{server.getsockname()[1]}" for server in (one, other))
        announce(folder, "a", first, tableName="one")
        announce(folder, "b", second, tableName="other")
        with pytest.raises(DeploymentError, match=r"2 local clouds are running.*; choose one with --endpoint-url"):
            read_local(None)
        assert read_local(f"{second}/")["tableName"] == "other"


def test_files_of_other_users_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        announce(folder, "a", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        with pytest.raises(DeploymentError, match="no local cloud"):
            read_local(None)


def test_a_local_clouds_outputs_are_its_users_alone(folder: Path) -> None:
    announce(folder, "a", "http://127.0.0.1:1")
    assert (folder / f"{LOCAL_PREFIX}a" / LOCAL_OUTPUTS).stat().st_mode & 0o077 == 0


def test_a_deployment_error_is_status_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["status", "--outputs", str(tmp_path / "missing.json")]) == 1
    assert capsys.readouterr().err.startswith(f"counter: {tmp_path}/missing.json cannot be read: No such file")
