"""./counter prepares its environment once, and says in a sentence why it cannot."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import OLD_PYTHON, ROOT, Checkout, Prepared, no_venv
from tests.running import descendants
from tests.share import ci_only


def test_it_is_plain_shell() -> None:
    checked = subprocess.run(["sh", "-n", ROOT / "counter"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert (ROOT / "counter").stat().st_mode & 0o111 == 0o111


def test_without_a_python_it_says_so(checkout: Checkout) -> None:
    done = checkout.run("local")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "counter: no Python found; install Python 3.11 or later\n"


def test_an_old_python_is_named(checkout: Checkout) -> None:
    checkout.add_program("python3", OLD_PYTHON)
    done = checkout.run("local")
    assert done.returncode == 1
    assert done.stderr == "counter: Python 3.8.1 is too old; install Python 3.11 or later\n"


def test_a_python_without_venv_is_named_with_the_remedy(checkout: Checkout) -> None:
    checkout.add_python("real")
    checkout.add_program("python3", no_venv(checkout.bin / "real"))
    done = checkout.run("local")
    assert done.returncode == 1
    expected = "counter: python3 cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv\n"
    assert done.stderr == expected


def test_a_usable_python_is_found_behind_others(prepared: Prepared) -> None:
    assert prepared.first.stderr.startswith(f"Preparing {prepared.root}/.venv (once; it takes about a minute)\n")
    assert "Prepared in " in prepared.first.stderr
    for command in ("local", "test", "reconcile"):
        assert f"\n  {command} " in prepared.first.stdout


def test_the_second_call_prepares_nothing_and_needs_no_python_on_the_path(prepared: Prepared) -> None:
    (prepared.bin / "python3").rename(prepared.bin / "hidden")
    try:
        done = prepared.run("--help")
    finally:
        (prepared.bin / "hidden").rename(prepared.bin / "python3")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_symbolic_link_to_it_works_from_anywhere(prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to(prepared.root / "counter")
    (tmp_path / "second").symlink_to("first")
    done = prepared.run("--help", path=tmp_path / "second")
    assert (done.returncode, done.stderr) == (0, "")


def test_arguments_arrive_as_they_are(prepared: Prepared) -> None:
    done = prepared.run("local", "--port", "a  b'c")
    assert done.returncode == 2
    assert """Invalid value for '--port': "a  b'c" is not a valid port; allowed: 0 to 65535""" in done.stderr


def test_ctrl_c_is_kept_for_pythons_first_line_where_env_can(prepared: Prepared) -> None:
    env, true = shutil.which("env"), shutil.which("true")
    assert env
    assert true
    if subprocess.run([env, "--block-signal=INT", true], capture_output=True, check=False).returncode:
        pytest.skip("needs GNU's env")
    entry = prepared.root / "cli" / "__main__.py"
    code = entry.read_text(encoding="utf-8")
    entry.write_text("import signal\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, ()))\n", encoding="utf-8")
    (prepared.bin / "env").symlink_to(env)
    (prepared.bin / "true").symlink_to(true)
    try:
        assert prepared.run("--help").stdout == "{<Signals.SIGINT: 2>}\n"
        (prepared.bin / "env").unlink()
        assert prepared.run("--help").stdout == "set()\n"
    finally:
        (prepared.bin / "env").unlink(missing_ok=True)
        (prepared.bin / "true").unlink()
        entry.write_text(code, encoding="utf-8")


def test_bytecode_goes_into_the_environment_if_it_may_not_lie_beside_the_sources(prepared: Prepared) -> None:
    for bytecode in prepared.root.glob("cli/**/__pycache__"):
        shutil.rmtree(bytecode)
    prepared.run("--help", PYTHONDONTWRITEBYTECODE="1")
    assert list((prepared.root / ".venv" / "bytecode").rglob("main.cpython-*.pyc"))
    assert not list(prepared.root.glob("cli/**/__pycache__"))


def test_changed_requirements_are_installed(prepared: Prepared) -> None:
    requirements = prepared.root / "requirements-local.txt"
    requirements.write_text("# changed\n", encoding="utf-8")
    assert "Prepared in " in prepared.run("--help").stderr
    assert prepared.run("--help").stderr == ""


@ci_only("makes environments")
def test_the_benchmarks_have_requirements_of_their_own(prepared: Prepared) -> None:
    requirements = prepared.root / "requirements-benchmarks.txt"
    requirements.write_text("# changed\n", encoding="utf-8")
    assert "Prepared in " in prepared.run("--help").stderr
    assert not (prepared.root / ".venv" / ".counter-benchmarks").exists()
    assert "Prepared in " in prepared.run("benchmark", "--help").stderr
    assert prepared.run("benchmark", "--help").stderr == ""


def test_the_tests_have_requirements_of_their_own(prepared: Prepared) -> None:
    done = prepared.run("test", "--version")
    assert "Prepared in " in done.stderr
    # There is no pytest among the requirements of this checkout; it was asked for, though.
    assert "No module named pytest" in done.stderr
    assert "Prepar" not in prepared.run("test", "--version").stderr


@ci_only("makes six environments")
def test_a_half_made_environment_is_made_again(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv()
    venv = checkout.root / ".venv"
    assert "Prepared in " in checkout.run("--help").stderr
    assert checkout.run("--help").stderr == ""

    def is_repaired() -> bool:
        done = checkout.run("--help")
        return done.returncode == 0 and "Prepared in " in done.stderr and checkout.run("--help").stderr == ""

    (venv / ".counter-local").unlink()
    assert is_repaired()
    # As uv makes it by itself; `pulumi up` needs pip in the same environment.
    (venv / "bin" / "pip").unlink()
    assert is_repaired()
    assert (venv / "bin" / "pip").exists()
    (venv / "bin" / "python").unlink()
    assert is_repaired()
    # As after an upgrade that removed the Python that it was made with.
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/nowhere/python")
    assert is_repaired()
    shutil.rmtree(venv)
    venv.write_text("a file where the folder belongs", encoding="utf-8")
    assert is_repaired()


def test_two_starts_at_once_prepare_it_once(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv()
    starts = [checkout.start("--help") for _ in range(3)]
    errors = [start.communicate(timeout=120)[1] for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0], errors
    assert sum("Preparing " in error for error in errors) == 1, errors


def test_a_start_that_is_killed_leaves_nothing_in_the_way(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv(pip="exec sleep 60")
    start = checkout.start("--help")
    log = checkout.bin / "uv.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and "pip install" in log.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for pid in [start.pid, *descendants(start.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    start.communicate()
    checkout.add_uv()
    done = checkout.run("--help")
    assert (done.returncode, "Prepared in " in done.stderr) == (0, True)


@ci_only("needs an environment with pip")
def test_no_network_is_a_sentence(prepared: Prepared) -> None:
    requirements = prepared.root / "requirements-dev.txt"
    before = requirements.read_text(encoding="utf-8")
    requirements.write_text("nothing-of-this-name==1.0\n", encoding="utf-8")
    try:
        # An index that nobody serves, as on a machine without a network.
        done = prepared.run("test", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0")
    finally:
        requirements.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert "counter: cannot download the packages; is there a network? (" in done.stderr
    assert "Traceback" not in done.stderr


@ci_only("needs an environment with pip")
def test_a_package_that_cannot_be_installed_is_a_sentence(prepared: Prepared) -> None:
    requirements = prepared.root / "requirements-dev.txt"
    before = requirements.read_text(encoding="utf-8")
    requirements.write_text("./no-such-folder\n", encoding="utf-8")
    try:
        done = prepared.run("test")
    finally:
        requirements.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert "counter: cannot install the packages: ERROR: " in done.stderr
    assert "counter-install.log has the details)" in done.stderr
    assert "Traceback" not in done.stderr


def test_uv_is_used_if_it_is_installed(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv()
    assert checkout.run("--help").returncode == 0
    calls = (checkout.bin / "uv.log").read_text(encoding="utf-8").splitlines()
    assert [call.split()[0] for call in calls] == ["venv", "pip"]
    assert "--seed" in calls[0].split()
    assert subprocess.run([checkout.root / ".venv/bin/python", "-c", "import pip"], check=False).returncode == 0
    assert "requirements-local.txt" in calls[1]
    assert "constraints.txt" in calls[1]


def test_an_environment_that_an_earlier_version_made_with_uv_gets_pip(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv()
    assert checkout.run("--help").returncode == 0
    venv = checkout.root / ".venv"
    marker = (venv / ".counter-local").read_text(encoding="utf-8")
    shutil.rmtree(venv)
    subprocess.run([checkout.bin / "uv", "venv", "--quiet", venv], check=True)
    (venv / ".counter-local").write_text(marker, encoding="utf-8")
    assert not (venv / "bin" / "pip").exists()
    assert "Prepared in " in checkout.run("--help").stderr
    assert (venv / "bin" / "pip").exists()


def test_uv_that_cannot_download_pip_is_a_sentence(checkout: Checkout) -> None:
    checkout.add_python()
    words = "error: Failed to install seed packages\n  cause: error sending request for url (http://127.0.0.1:1/)"
    checkout.add_program("uv", f"echo '{words}' >&2; exit 2")
    done = checkout.run("--help")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("counter: cannot download pip; is there a network? (")
    assert not (checkout.root / ".venv").exists()


def test_uv_without_a_network_is_a_sentence(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv(pip="echo 'error: Failed to fetch; error sending request' >&2; exit 1")
    done = checkout.run("--help")
    assert done.returncode == 1
    assert "counter: cannot download the packages; is there a network?" in done.stderr
