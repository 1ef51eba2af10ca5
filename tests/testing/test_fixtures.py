"""The fixtures work in a project that has nothing but the package, and importing the kit needs no test tools."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TEST = """
import pulumi, pulumi_aws as aws
from components.testing import UNKNOWN, run

def program():
    pulumi.export("arn", aws.sqs.Queue("q").arn)

def test_all(recording_monitor, preview_monitor, stream_events):
    assert run(program, monitor=recording_monitor).outputs["arn"].startswith("arn:aws:sqs:")
    assert run(program, monitor=preview_monitor).outputs["arn"] is UNKNOWN
    assert stream_events.insert("a")["eventName"] == "INSERT"
"""


def test_the_fixtures_work_as_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["components.testing.fixtures"]\n', encoding="utf-8")
    (tmp_path / "test_it.py").write_text(TEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_kit_imports_no_test_tool_and_no_emulator() -> None:
    code = (
        "import sys, components.testing;"
        "print([m for m in ('pytest', 'ministack', 'boto3', 'hypothesis', 'functions', 'local') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
