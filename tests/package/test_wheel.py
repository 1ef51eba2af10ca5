"""The distribution, built out of a git repository and installed beside a project's own packages."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli.installed import _NEEDED
from components.version import VERSION
from tests.running import RunningCloud
from tests.share import ci_only

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "python"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")

pytestmark = ci_only("builds a wheel and an environment for it")

RECORD = """
import json, sys
from pathlib import Path
from stream_triggered_counter.testing import load_stack_config, run

config = load_stack_config(Path("."), "dev")
result = run(Path("__main__.py").resolve(), config=config.values, stack="dev", project=config.project)
packages = [sys.modules[name].__file__ for name in ("components", "functions.audit", "stream_triggered_counter")]
code = result.one("aws:lambda/function:Function", "hits-record-visit").inputs["code"].assets
print(json.dumps({
    "types": sorted({resource.type for resource in result.resources}),
    "outputs": sorted(result.outputs),
    "packages": packages,
    "code": {name: asset.path for name, asset in code.items()},
}))
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel as `pip install git+<repository>` does, out of the files as they are now."""
    folder = tmp_path_factory.mktemp("wheel")
    repository = folder / "repository"
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, repository / name)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    run("git", "init", "-q", cwd=repository)
    run("git", "add", "-A", cwd=repository)
    run("git", *identity, "commit", "-q", "--no-verify", "-m", "Everything", cwd=repository)
    run(*PIP, "wheel", "--no-deps", "-w", str(folder), f"git+{repository.as_uri()}", cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment of a project with packages of the same names as this repository's."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    (folder / "components").mkdir()
    (folder / "components" / "__init__.py").write_text("OURS = False\n")
    with (folder / "__main__.py").open("a") as program:
        program.write("\nimport components\nimport functions.audit\n\nassert components.OURS is False\n")
    venv.create(folder / ".venv")
    # Pulumi and its AWS package, which are large, come from the environment that the tests run in; the project doesn't.
    variables = {"base": str(folder / ".venv"), "platbase": str(folder / ".venv")}
    own = Path(sysconfig.get_path("purelib", "venv", vars=variables))
    (own / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(*PIP, "--python", str(python(folder)), "install", str(wheel), cwd=folder)
    assert (own / "stream_triggered_counter").is_dir()
    return folder


def python(project: Path) -> Path:
    return project / ".venv" / "bin" / "python"


def test_wheel_holds_the_needed_files_and_nothing_else(wheel: Path) -> None:
    assert VERSION in wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {name.removeprefix("stream_triggered_counter/") for name in names if "dist-info" not in name}
    for folder, inside in (("components", ""), ("functions", "functions/"), ("cli", "cli/")):
        sources = {f"{inside}{path.relative_to(ROOT / folder)}" for path in (ROOT / folder).rglob("*.py")}
        assert {name for name in sources if not name.startswith("cli/checkout/")} <= package
    assert {"py.typed", "functions/http/openapi.json"} <= package
    assert {f"functions/pages/{name}" for name in ("counter.js", "counter.css", "icon.svg")} <= package
    kinds = {Path(name).suffix for name in package} - {".py"}
    assert kinds <= {".typed", ".json", ".js", ".css", ".svg", ".yaml", ""}
    assert all(name.startswith(("stream_triggered_counter/", "stream_triggered_counter-")) for name in names)
    assert not any(part in name for name in names for part in ("__pycache__", "tests/", "local/", "checkout/"))


def test_the_installed_package_knows_its_version(project: Path) -> None:
    script = "import stream_triggered_counter as s; print(s.__version__, s.StreamTriggeredCounterArgs.__name__)"
    assert run(str(python(project)), "-c", script, cwd=project).split() == [VERSION, "StreamTriggeredCounterArgs"]


def test_the_command_is_installed(project: Path) -> None:
    command = str(python(project).with_name("counter"))
    shown = run(command, "--help", cwd=project)
    assert shown.startswith("Usage: counter ")
    assert "  status " in shown
    assert "  local " not in shown
    assert run(command, "verify", "--help", cwd=project).startswith("Usage: counter verify ")


def test_the_extra_has_what_the_command_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [metadata] = [name for name in archive.namelist() if name.endswith("METADATA")]
    lines = archive.read(metadata).decode().splitlines()
    needed = {re.split(r"[:\s<>=]+", line)[1] for line in lines if line.endswith('extra == "cli"')}
    assert needed == set(_NEEDED)
    # What the tests run on is allowed.
    assert all(find_spec(name) for name in needed)


def test_example_runs_on_the_recording_monitor(project: Path) -> None:
    recorded = json.loads(run(str(python(project)), "-c", RECORD, cwd=project).splitlines()[-1])
    assert recorded["outputs"] == ["apiEndpoint", "tableName"]
    assert "aws:lambda/eventSourceMapping:EventSourceMapping" in recorded["types"]
    ours, audit, installed = recorded["packages"]
    assert Path(ours) == project / "components" / "__init__.py"
    assert Path(audit) == project / "functions" / "audit.py"
    assert ".venv" in installed
    assert {"functions/process_stream.py", "functions/dynamodb/tables.py"} <= recorded["code"].keys()
    for name, path in recorded["code"].items():
        assert Path(path).is_file()
        assert ".venv" in path
        assert name.startswith("functions/")


def test_the_examples_own_tests_pass(project: Path) -> None:
    run(str(python(project)), "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_program.py", cwd=project)


def test_example_runs_on_the_local_cloud(project: Path) -> None:
    cloud = RunningCloud("--program", str(project), "--python", str(python(project)), "--port", "0")
    try:
        assert cloud.request("/tag/tech", "POST").json == {"tag": "tech", "count": 1}
        assert cloud.request("/counts/tech").json["count"] == 1
        assert set(cloud.outputs) == {"apiEndpoint", "tableName", "endpointUrl"}
        (project / "outputs.json").write_text(json.dumps(cloud.outputs))
        command = str(python(project).with_name("counter"))
        shown = json.loads(
            run(command, "status", "--outputs", "outputs.json", "--region", cloud.region, "--json", cwd=project)
        )
        assert (shown["api"]["status"], shown["problems"]) == (200, [])
    finally:
        cloud.kill()
