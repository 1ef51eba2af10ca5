"""The API behaves as its OpenAPI document describes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from functions.http.routes import DOCUMENT
from tests.running import ROOT, RunningCloud
from tests.share import ci_only

EXAMPLES, REQUESTS = 250, 2_000
"""Examples for each operation that has parameters, and the minimum number of requests."""

CONFIG = Path(__file__).with_name("schemathesis.toml")


def cursors(cloud: RunningCloud) -> list[str]:
    """Return the cursors of some pages."""
    for tag in ("tech", "<script>", "\N{DUCK}", "caf\u00e9"):
        assert cloud.request(f"/tag/{quote(tag)}", "POST").status == 200
    found: list[str] = []
    while len(found) < 3:
        further = f"&cursor={found[-1]}" if found else ""
        found.append(cloud.request(f"/counts?limit=1{further}").json["nextCursor"])
    return found


def test_served_document_is_that_of_the_repository(cloud: RunningCloud) -> None:
    answer = cloud.request("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == DOCUMENT.read_text(encoding="utf-8")


@ci_only("sends 2,000 requests")
def test_schemathesis_finds_no_failures(cloud: RunningCloud, tmp_path: Path) -> None:
    # From a file: schemathesis does not test the URL from which it loads a document.
    document = tmp_path / "openapi.json"
    document.write_text(cloud.request("/openapi.json").text, encoding="utf-8")
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", str(document), "--url", cloud.outputs["apiEndpoint"], "--max-examples", str(EXAMPLES)),
            *("--no-color", "--report", "json", "--report-json-path", str(report)),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CURSORS": json.dumps(cursors(cloud))},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    found = json.loads(report.read_text(encoding="utf-8"))
    operations = sum(
        "x-function" in operation
        for path in json.loads(document.read_text(encoding="utf-8"))["paths"].values()
        for operation in path.values()
    )
    assert found["operations"]["tested"] == operations
    assert found["test_cases"]["generated"] >= REQUESTS
    assert (found["test_cases"]["with_failures"], found["test_cases"]["errored"]) == (0, 0)
