"""Saved sources are redeployed in place."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest

from cli.console import Console
from components.engine.answers import UnknownInvokeError
from components.testing import Resource
from local.replay import ReplayMonitor
from local.watch import Watcher, check_syntax
from tests.local.conftest import REGION, TRUST, Cloud

FIRST = "def handler(event, context):\n    return 1\n"
SECOND = "def handler(event, context):\n    return 2\n"


class Watched:
    """A function made from a folder, and a watcher over it."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.refreshed = 0
        self.stream = io.StringIO()
        self.write("main.py", FIRST)
        self.function = cloud.deploy(self.program).one("f")
        self.pack: Callable[[], list[Resource]] = self.pack_again
        self.watcher = Watcher(cloud.site, Console(self.stream), [self.function], self.refresh)

    def program(self) -> None:
        role = aws.iam.Role("r", assume_role_policy=TRUST)
        aws.lambda_.Function("f", role=role.arn, code=self.code(), handler="main.handler", runtime="python3.13")

    def code(self) -> pulumi.AssetArchive:
        return pulumi.AssetArchive(
            {str(path.relative_to(self.folder)): pulumi.FileAsset(str(path)) for path in self.folder.rglob("*.py")}
        )

    def refresh(self) -> list[Resource]:
        return self.pack()

    def pack_again(self) -> list[Resource]:
        self.refreshed += 1
        function = self.function
        return [Resource(**{**vars(function), "inputs": {**function.inputs, "code": self.code()}})]

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def poll(self) -> str:
        """Look once; gives what was reported."""
        self.watcher.poll()
        text = self.stream.getvalue()
        self.stream.truncate(0)
        self.stream.seek(0)
        return text

    def call(self) -> object:
        return json.load(self.cloud.client("lambda").invoke(FunctionName=self.function.id)["Payload"])


@pytest.fixture
def watched(cloud: Cloud, tmp_path: Path) -> Watched:
    return Watched(cloud, tmp_path)


def test_saved_code_runs_at_the_next_call(watched: Watched) -> None:
    assert watched.call() == 1
    assert watched.poll() == ""
    watched.write("main.py", SECOND)
    assert "reload  f in 0." in watched.poll()
    assert watched.call() == 2
    assert watched.poll() == ""
    assert watched.refreshed == 0


def test_a_syntax_error_is_reported_and_the_old_code_goes_on(watched: Watched) -> None:
    watched.write("main.py", "def (\n")
    told = watched.poll()
    assert f"{watched.folder}/main.py:1: invalid syntax" in told
    assert "not redeployed; the functions keep their present code" in told
    assert watched.call() == 1
    watched.write("main.py", SECOND)
    assert "reload  f in" in watched.poll()
    assert watched.call() == 2


def test_saving_without_a_change_redeploys_nothing(watched: Watched) -> None:
    os.utime(watched.folder / "main.py", (1, 1))
    assert watched.poll() == ""


def test_a_new_file_is_packed_as_the_program_packs_it(watched: Watched) -> None:
    watched.write("helper.py", "VALUE = 3\n")
    watched.write("main.py", "import helper\ndef handler(event, context):\n    return helper.VALUE\n")
    assert "reload  f in" in watched.poll()
    assert watched.refreshed == 1
    assert watched.call() == 3
    watched.write("helper.py", "VALUE = 4\n")
    watched.poll()
    assert watched.call() == 4


def test_the_first_file_of_a_new_folder_is_packed(watched: Watched) -> None:
    (watched.folder / "package").mkdir()
    assert watched.poll() == ""
    watched.write("package/helper.py", "VALUE = 3\n")
    watched.write("main.py", "from package import helper\ndef handler(event, context):\n    return helper.VALUE\n")
    assert "reload  f in" in watched.poll()
    assert watched.refreshed == 1
    assert watched.call() == 3


def test_a_removed_file_is_left_out(watched: Watched) -> None:
    watched.write("helper.py", "VALUE = 3\n")
    watched.poll()
    (watched.folder / "helper.py").unlink()
    assert "reload  f in" in watched.poll()
    assert watched.refreshed == 2
    assert watched.call() == 1


def test_an_editors_temporary_files_are_not_looked_at(watched: Watched) -> None:
    watched.write("main.py.swp", "x")
    assert watched.poll() == ""
    assert watched.refreshed == 0


def test_a_file_that_is_gone_for_a_moment_does_no_harm(watched: Watched) -> None:
    (watched.folder / "main.py").rename(watched.folder / "main.bak")

    def fail() -> list[Resource]:
        raise ValueError("half written")

    watched.pack = fail
    assert "the program failed and nothing was redeployed: half written" in watched.poll()
    watched.pack = watched.pack_again
    watched.write("main.py", SECOND)
    assert "reload  f in" in watched.poll()
    assert watched.call() == 2


def test_the_folders_are_listed(watched: Watched) -> None:
    assert watched.watcher.folders == [watched.folder]


def test_syntax_is_checked_for_python_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    (tmp_path / "b.py").write_bytes(b"\0")
    assert check_syntax(tmp_path / "a.json") is None
    assert check_syntax(tmp_path / "gone.py") is None
    assert "b.py: " in str(check_syntax(tmp_path / "b.py"))


def test_a_replay_answers_lookups_as_the_first_run_did(cloud: Cloud) -> None:
    token = "aws:dynamodb/getTable:getTable"
    first = cloud.deploy(lambda: pulumi.export("arn", aws.dynamodb.get_table_output(name="replayed").arn)).monitor
    [invoke] = first.invokes
    replay = ReplayMonitor(first)
    assert replay.invoke(token, {"name": "replayed"}) == invoke.result
    with pytest.raises(UnknownInvokeError):
        replay.invoke(token, {"name": "another"})
    assert replay.invoke("aws:index/getRegion:getRegion", {})["region"] == REGION
