"""Running programs in process."""

import asyncio
import contextvars
import gc
import traceback
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.engine.monitor import DuplicateURNError
from components.testing import run
from tests.running import run_async


def test_runs_do_not_see_each_other() -> None:
    def program() -> None:
        aws.sqs.Queue("q")
        pulumi.export("stack", pulumi.get_stack())

    first, second = run(program, stack="a"), run(program, stack="b")
    assert (first.outputs, second.outputs) == ({"stack": "a"}, {"stack": "b"})
    assert len(first.resources) == len(second.resources) == 1


def test_a_program_runs_where_pulumis_mocks_have_made_a_stack() -> None:
    class Nothing(pulumi.runtime.Mocks):
        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
            return {}, None

        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            return "", {}

    def program() -> None:
        pulumi.export("stack", pulumi.get_stack())

    def both() -> dict[str, Any]:
        pulumi.runtime.set_mocks(Nothing(), stack="mocked")
        return dict(run(program, stack="own").outputs)

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert contextvars.copy_context().run(both) == {"stack": "own"}
    finally:
        loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_pauses_while_a_program_runs(enabled: bool) -> None:
    seen: list[bool] = []

    def program() -> None:
        seen.append(gc.isenabled())
        raise LookupError

    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(LookupError):
            run(program)
        assert (seen, gc.isenabled()) == ([False], enabled)
    finally:
        (gc.enable if before else gc.disable)()


def test_names_are_the_same_in_every_run() -> None:
    def program() -> None:
        pulumi.export("name", aws.sqs.Queue("q").name)

    assert run(program).outputs == run(program).outputs


def test_config_has_full_keys() -> None:
    def program() -> None:
        config = pulumi.Config()
        pulumi.export("values", [config.require("text"), config.require_int("number"), config.require_object("list")])
        pulumi.export("region", pulumi.Config("aws").require("region"))

    values = {"project:text": "t", "project:number": "3", "project:list": "[1]", "aws:region": "eu-west-1"}
    assert run(program, config=values).outputs == {"values": ["t", 3, [1]], "region": "eu-west-1"}


def test_a_program_can_be_a_folder_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "__main__.py"
    file.write_text("import pulumi\npulumi.export('name', __name__)\n", encoding="utf-8")
    assert run(tmp_path).outputs == {"name": "__main__"}
    assert run(file).outputs == {"name": "__main__"}


def test_a_programs_root_directory_is_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "__main__.py"
    file.write_text("import pulumi\npulumi.export('root', pulumi.get_root_directory())\n", encoding="utf-8")
    assert run(tmp_path).outputs == run(file).outputs == {"root": str(tmp_path)}
    assert run(lambda: pulumi.export("root", pulumi.get_root_directory())).outputs == {"root": str(Path.cwd())}


def test_one_failure_is_raised_once_and_not_logged_for_each_of_its_consequences(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def program() -> None:
        aws.sqs.Queue("q")
        failed = aws.sqs.Queue("q")
        for number in range(5):
            aws.sqs.Queue(f"dead-{number}", name=failed.name)
            failed.arn.apply(str.upper)

    with pytest.raises(DuplicateURNError):
        run(program)
    gc.collect()
    assert ([record.getMessage() for record in caplog.records], capfd.readouterr().err) == ([], "")


def test_exceptions_come_out_as_they_are() -> None:
    class OwnError(Exception):
        pass

    def program() -> None:
        raise OwnError("mine")

    with pytest.raises(OwnError, match=r"^mine$"):
        run(program)


def test_messages_are_kept_by_severity() -> None:
    def program() -> None:
        pulumi.log.info("told")
        pulumi.log.warn("warned")
        pulumi.log.error("erred")

    result = run(program)
    assert (result.warnings, result.errors) == (["warned"], ["erred"])
    assert ("info", "told") in [(message.severity, message.text) for message in result.messages]


def test_pending_outputs_are_awaited() -> None:
    ran = []

    async def later() -> None:
        await asyncio.sleep(0)
        ran.append(True)

    def program() -> None:
        task: Any = asyncio.ensure_future(later())
        pulumi.Output.from_input(task)

    run(program)
    assert ran == [True]


def test_a_program_runs_under_a_running_event_loop_too() -> None:
    def program() -> None:
        pulumi.export("name", aws.sqs.Queue("q", name="n").name)

    async def test() -> object:
        with pytest.raises(LookupError, match="own"):
            run(fail)
        return run(program).outputs

    def fail() -> None:
        raise LookupError("own")

    assert run_async(test()) == {"name": "n"}


def test_a_program_does_not_stand_on_the_callers_stack() -> None:
    # Pulumi notes the whole stack for each resource.
    seen: list[str] = []
    run(lambda: seen.extend(frame.name for frame in traceback.extract_stack()))
    assert seen
    assert "test_a_program_does_not_stand_on_the_callers_stack" not in seen


def test_one_names_the_candidates_when_it_finds_none_or_several() -> None:
    def program() -> None:
        aws.sqs.Queue("a")
        aws.sqs.Queue("b")
        aws.sns.Topic("c")

    result = run(program)
    with pytest.raises(LookupError, match=r"2 resources match 'aws:sqs/queue:Queue'; registered are:\n.*'a'\n.*'b'$"):
        result.one("aws:sqs/queue:Queue")
    with pytest.raises(LookupError, match=r"^0 resources match 'nothing at all'; registered are:\n.*\n.*\n.*'c'$"):
        result.one("nothing", "at all")
    with pytest.raises(LookupError, match=r"^0 resources match 'a'; registered are:\n  nothing$"):
        run(lambda: None).one("a")
    with pytest.raises(LookupError, match="no resource has the URN nowhere"):
        result.by_urn("nowhere")
