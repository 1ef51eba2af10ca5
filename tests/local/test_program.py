"""Programs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components.engine.answers import UnknownInvokeError
from components.engine.server import RecordingEngine
from components.testing import RecordingMonitor, load_stack_config
from local.program import ProgramError, ProgramRun
from tests.running import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: sample\nconfig: {greeting: hello}", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").touch()
    return tmp_path


def prepare(project: Path, code: str, *, python: str = sys.executable) -> ProgramRun:
    (project / "__main__.py").write_text(code, encoding="utf-8")
    return ProgramRun(load_stack_config(project, "dev"), python=python, environment=dict(os.environ))


def run(project: Path, code: str, *, python: str = sys.executable) -> tuple[RecordingMonitor, RecordingEngine]:
    monitor, engine = RecordingMonitor(project="sample", stack="dev"), RecordingEngine()
    prepare(project, code, python=python).run(monitor, engine)
    return monitor, engine


def test_a_program_runs_as_the_cli_would_run_it(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "helper.py").write_text("VALUE = 'helped'\n", encoding="utf-8")
    code = """
import os, sys, pulumi, helper
print("printed")
pulumi.log.warn("careful")
pulumi.export("all", [__name__, helper.VALUE, os.getcwd(), pulumi.get_project(), pulumi.get_stack()])
pulumi.export("greeting", pulumi.Config().require("greeting"))
pulumi.export("path", [p for p in sys.path if p.endswith(("/local", "/components"))])
pulumi.export("input", sys.stdin.read())
"""
    monitor, engine = run(project, code)
    assert monitor.outputs == {
        "all": ["__main__", "helped", str(project), "sample", "dev"],
        "greeting": "hello",
        "path": [],
        "input": "",
    }
    assert "careful" in [message.text for message in engine.messages]
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "printed\n")


def test_a_programs_file_finds_its_neighbours(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: sample\nmain: sub/run.py", encoding="utf-8")
    (project / "sub").mkdir()
    (project / "sub" / "helper.py").write_text("VALUE = 1\n", encoding="utf-8")
    (project / "sub" / "run.py").write_text("import pulumi, helper\npulumi.export('v', helper.VALUE)", encoding="utf-8")
    assert run(project, "")[0].outputs == {"v": 1}


def test_program_sees_the_organization_of_the_stack_name(project: Path) -> None:
    code = "import pulumi\npulumi.export('organization', pulumi.get_organization())"
    (project / "__main__.py").write_text(code, encoding="utf-8")
    for stack, organization in (("dev", "organization"), ("acme/sample/dev", "acme")):
        monitor = RecordingMonitor(project="sample", stack="dev")
        config = load_stack_config(project, stack)
        ProgramRun(config, python=sys.executable, environment=dict(os.environ)).run(monitor, RecordingEngine())
        assert monitor.outputs == {"organization": organization}


def test_folder_without_a_python_program_is_refused(project: Path) -> None:
    program = ProgramRun(load_stack_config(project, "dev"), python=sys.executable, environment=dict(os.environ))
    with pytest.raises(ProgramError, match=rf"^{project} has no __main__\.py; the local cloud runs only Python prog"):
        program.run(RecordingMonitor(project="sample", stack="dev"), RecordingEngine())


def test_a_failure_is_the_programs_own_traceback(project: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        run(project, "def f():\n    raise ValueError('batch_size is 0')\nf()\n")
    lines = str(caught.value).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{project}/__main__.py", line 3, in <module>'
    assert lines[-1] == "ValueError: batch_size is 0"


def test_an_error_that_explains_itself_comes_without_a_traceback(project: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        run(project, "import pulumi\nraise pulumi.RunError('batchSize: 0 is out of range')\n")
    assert str(caught.value) == "batchSize: 0 is out of range"


def test_an_error_that_explains_itself_stays_alone_if_it_comes_late(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = """
import pulumi, pulumi_aws as aws
def refuse(_):
    raise pulumi.RunError("not this one")
name = aws.sqs.Queue("first").arn.apply(refuse)
for number in range(3):
    pulumi.export(f"arn-{number}", aws.sqs.Queue(f"queue-{number}", name=name).arn)
"""
    with pytest.raises(ProgramError) as caught:
        run(project, code)
    assert str(caught.value) == "not this one"
    assert capfd.readouterr() == ("", "")


def test_a_syntax_error_is_reported_with_its_line(project: Path) -> None:
    with pytest.raises(ProgramError, match=r"__main__\.py\", line 1\n(?s:.*)SyntaxError"):
        run(project, "def (\n")


def test_a_refusal_of_the_monitor_comes_out_as_it_was(project: Path) -> None:
    code = "import pulumi_aws as aws, pulumi\npulumi.export('z', aws.get_availability_zones_output().names)"
    with pytest.raises(UnknownInvokeError, match="getAvailabilityZones"):
        run(project, code)


@pytest.mark.parametrize(
    ("code", "status"), [("import sys; sys.exit(7)", 7), ("import os; os._exit(9)", 9), ("raise SystemExit('x')", 1)]
)
def test_a_program_that_ends_itself_has_failed(project: Path, code: str, status: int) -> None:
    with pytest.raises(ProgramError, match=f"the program ended with status {status}"):
        run(project, code)


def test_a_python_without_pulumi_is_a_sentence(project: Path) -> None:
    script = project / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    with pytest.raises(ProgramError, match="/python cannot import the Pulumi SDK; choose another Python with --python"):
        run(project, "", python=str(script))


def test_a_python_that_does_not_exist_is_a_sentence(project: Path) -> None:
    with pytest.raises(ProgramError, match="cannot start /nowhere/python: No such file or directory"):
        run(project, "", python="/nowhere/python")


def test_a_running_program_can_be_ended(project: Path) -> None:
    program = prepare(project, "import time\ntime.sleep(60)\n")
    errors: list[Exception] = []

    def work() -> None:
        try:
            program.run(RecordingMonitor(), RecordingEngine())
        except ProgramError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 20
    while thread.is_alive() and time.monotonic() < deadline:
        program.stop()
        time.sleep(0.05)
    thread.join(5)
    assert not thread.is_alive()
    assert str(errors[0]) == "the program ended with status -9"


def test_a_launcher_without_a_program_ends_silently() -> None:
    command = [sys.executable, str(ROOT / "local" / "launcher.py")]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
