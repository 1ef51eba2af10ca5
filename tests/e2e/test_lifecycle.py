"""Start and end of local clouds: several at once, orderly shutdown, and clear errors."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.running import ROOT, RunningCloud, broken_pipe, descendants, eventually, running
from tests.share import ci_only, share

PROGRAMS = ROOT / "tests" / "local" / "programs"


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "cli"), "local", *arguments],
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, **environment},
        timeout=90,
        check=False,
    )


def write_program(folder: Path, code: str) -> str:
    (folder / "Pulumi.yaml").write_text("name: sample\nruntime: python\n", encoding="utf-8")
    (folder / "Pulumi.dev.yaml").write_text("config: {aws:region: eu-west-1}\n", encoding="utf-8")
    (folder / "__main__.py").write_text(code, encoding="utf-8")
    return str(folder)


def test_two_clouds_run_side_by_side_and_shut_down(start: Start, cloud: RunningCloud) -> None:
    # Settings for a real account must have no effect.
    users = {"AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIAREAL", "HTTP_PROXY": "http://127.0.0.1:9"}
    other = start("--port", "0", **users)
    assert other.outputs["apiEndpoint"] != cloud.outputs["apiEndpoint"]
    for _ in range(2):
        assert cloud.request("/tag/side-by-side", "POST").status == 200
    assert other.request("/tag/side-by-side", "POST").json == {"tag": "side-by-side", "count": 1}
    assert cloud.request("/counts/side-by-side").json["count"] == 2
    children = descendants(other.process.pid)
    # The emulator and at least the function that was called.
    assert len(children) >= 2
    assert (other.end(signal.SIGTERM), running(children)) == (0, set())
    assert other.further_lines == []
    assert "Traceback" not in other.errors
    assert cloud.request("/counts/side-by-side").json["count"] == 2


def test_visits_and_batches_are_reported_on_standard_error(cloud: RunningCloud) -> None:
    cloud.request("/tag/reported%1B", "POST")
    cloud.request("/tag/reported", "POST")
    eventually(lambda: "POST    /tag/reported  200" in cloud.errors, 5, "the visit")
    eventually(lambda: "  stream  " in cloud.errors and "  total " in cloud.errors, 5, "the batch")
    assert "\x1b" not in cloud.errors


def test_nothing_outlives_a_killed_parent(start: Start, tmp_path: Path) -> None:
    code = "import pulumi_aws as aws\nimport time\naws.sqs.Queue('q')\ntime.sleep(60)\n"
    cloud = start("--port", "0", "--program", write_program(tmp_path, code))
    eventually(lambda: len(descendants(cloud.process.pid)) >= 2, 30, "the emulator and the program")
    children = descendants(cloud.process.pid)
    cloud.process.kill()
    cloud.process.wait(10)
    eventually(lambda: running(children - _programs(children)) == set(), 10, "the end of the emulator")
    for pid in _programs(children):
        os.kill(pid, signal.SIGKILL)


def test_a_signal_during_the_start_shuts_it_down(start: Start, tmp_path: Path) -> None:
    cloud = start("--port", "0", "--program", write_program(tmp_path, "import time\ntime.sleep(60)\n"))
    eventually(lambda: len(descendants(cloud.process.pid)) >= 2, 30, "the emulator and the program")
    children = descendants(cloud.process.pid)
    # As if the user pressed Ctrl-C twice.
    cloud.process.send_signal(signal.SIGINT)
    assert (cloud.end(signal.SIGINT), running(children)) == (0, set())
    assert "Traceback" not in cloud.errors


def test_a_port_in_use_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = call("--json", "--port", str(port))
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last == f"counter: port {port} is in use; choose another with --port, or 0 for any free one"
    assert "Traceback" not in done.stderr


def test_an_unknown_resource_type_is_reported_in_one_line(tmp_path: Path) -> None:
    program = write_program(tmp_path, "import pulumi_aws as aws\naws.s3.Bucket('pail')\n")
    done = call("--json", "--port", "0", "--program", program)
    assert (done.returncode, done.stdout) == (1, "")
    assert "counter: aws:s3/bucket:Bucket 'pail': the local cloud does not support this type" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--stack", "nowhere"), "counter: there is no stack 'nowhere' in "),
        (("--stack", "acme/other/dev"), "counter: stack 'acme/other/dev' belongs to the project 'other', but this one"),
        (("--stack", "a b"), "counter: 'a b' is not a valid stack name; allowed: "),
        (("--program", "/nowhere"), "counter: /nowhere does not exist; allowed: the folder of a Pulumi project"),
        (("--program", __file__), "test_lifecycle.py is a file; allowed: the folder of a Pulumi project"),
        (
            ("--python", "/nowhere"),
            "Invalid value for '--python': '/nowhere' cannot be started; allowed: ",
        ),
    ],
)
def test_invalid_arguments_are_reported_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = call("--port", "0", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failing_program_shows_its_own_traceback(tmp_path: Path) -> None:
    done = call("--port", "0", "--program", write_program(tmp_path, "raise ValueError('batch_size is 0')\n"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: batch_size is 0"
    assert done.stderr.count("Traceback") == 1
    assert str(ROOT / "local") not in done.stderr


def test_outputs_go_to_standard_output_and_progress_to_standard_error(tmp_path: Path) -> None:
    program = write_program(tmp_path, "import pulumi\npulumi.export('greeting', 'hello')\n")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli"), "local", "--port", "0", "--program", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or "Ctrl-C stops it" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate(timeout=20)
    children = descendants(process.pid)
    assert children
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, running(children)) == (0, set())
    assert lines[0].startswith("  endpointUrl  http://127.0.0.1:")
    assert lines[1] == "  greeting     hello\n"
    assert errors.splitlines()[:2] == ["Starting the local cloud", "Running sample as stack dev"]
    assert "Ready in " in errors


@pytest.mark.parametrize(
    ("arguments", "full"),
    share([((), True)], in_ci=[((), True), ((), False), (("--json",), True), (("--json",), False)]),
)
def test_a_closed_pipe_or_a_full_disk_shuts_it_down(tmp_path: Path, arguments: tuple[str, ...], full: bool) -> None:
    program = write_program(tmp_path, "import pulumi\npulumi.export('greeting', 'hello')\n")
    errors = tmp_path / "errors"
    output = os.open("/dev/full", os.O_WRONLY) if full else broken_pipe()
    with errors.open("w", encoding="utf-8") as stream:
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli"), "local", "--port", "0", "--program", program, *arguments],
            stdout=output,
            stderr=stream,
            cwd="/",
            timeout=60,
            check=False,
        )
    os.close(output)
    assert done.returncode == int(full)
    reported = errors.read_text(encoding="utf-8")
    assert "Traceback" not in reported
    assert reported.endswith("counter: cannot write to standard output: No space left on device\n") is full


@ci_only("starts a local cloud")
def test_it_serves_with_standard_output_closed(tmp_path: Path) -> None:
    program = write_program(tmp_path, "import pulumi\npulumi.export('greeting', 'hello')\n")
    command = [sys.executable, str(ROOT / "cli"), "local", "--port", "0", "--program", program]
    with subprocess.Popen(
        ["sh", "-c", 'exec "$@" >&- <&-', "sh", *command], stderr=subprocess.PIPE, text=True, cwd="/"
    ) as process:
        assert process.stderr is not None
        reported = ""
        while "Ready in" not in reported:
            line = process.stderr.readline()
            assert line, reported
            reported += line
        process.send_signal(signal.SIGINT)
        reported += process.communicate(timeout=20)[1]
    assert process.returncode == 0
    assert "Traceback" not in reported


@ci_only("starts a local cloud")
def test_two_counters_of_one_stack_have_separate_addresses(start: Start) -> None:
    cloud = start("--port", "0", "--program", str(PROGRAMS / "two_counters"), PYTHONPATH=str(ROOT))
    addresses = {cloud.outputs["firstApiEndpoint"], cloud.outputs["secondApiEndpoint"]}
    origin = cloud.outputs["endpointUrl"]
    assert addresses == {origin, f"{origin}/api-2"}
    for _ in range(2):
        assert cloud.request("/tag/x", "POST", base="firstApiEndpoint").status == 200
    assert cloud.request("/tag/x", "POST", base="secondApiEndpoint").json["count"] == 1

    def totals() -> list[int]:
        return [cloud.request("/counts", base=f"{name}ApiEndpoint").json["total"] for name in ("first", "second")]

    eventually(lambda: totals() == [2, 1], 10, "the totals 2 and 1")


def test_saved_code_runs_at_once_and_new_files_come_along(start: Start, tmp_path: Path) -> None:
    source = PROGRAMS / "watched"
    (tmp_path / "code").mkdir()
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            (tmp_path / path.relative_to(source)).write_bytes(path.read_bytes())
    cloud = start("--port", "0", "--watch", "--program", str(tmp_path))
    assert cloud.request("/").text == "first"
    eventually(lambda: "Watching" in cloud.errors, 10, "the watcher")
    main = tmp_path / "code" / "main.py"
    main.write_text("def handler(event, context):\n    return 'second'\n", encoding="utf-8")
    eventually(lambda: cloud.request("/").text == "second", 20, "the saved file's text")
    assert cloud.errors.count("reload  function in") == 1
    (tmp_path / "code" / "added.py").write_text("TEXT = 'added'\n", encoding="utf-8")
    code = "from added import TEXT\n\ndef handler(event, context):\n    return TEXT\n"
    main.write_text(code, encoding="utf-8")
    eventually(lambda: cloud.request("/").text == "added", 20, "the new file's text")
    main.write_text(code.replace("return TEXT", "raise KeyError(TEXT)"), encoding="utf-8")

    def is_reported() -> bool:
        return cloud.request("/").status >= 500 and "            KeyError: 'added'\n" in cloud.errors

    eventually(is_reported, 20, "the traceback out of the function's log")


def _programs(pids: set[int]) -> set[int]:
    """Return the processes of Pulumi programs. A sleeping program does not notice that its engine has ended."""
    table = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]) for line in table.splitlines() if "launcher.py" in line} & pids
