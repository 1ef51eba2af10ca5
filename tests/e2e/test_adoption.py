"""A stack that adopts a table runs on the local cloud, which creates that table."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.e2e.conftest import Start
from tests.running import ROOT, eventually
from tests.share import ci_only

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/tutorial"
CONFIG = {
    "aws:region": "eu-west-1",
    "stream-triggered-counter:tableArn": TABLE,
    "stream-triggered-counter:streamArn": f"{TABLE}/stream/2024-01-01T00:00:00.000",
}


@ci_only("starts a local cloud")
def test_the_local_cloud_creates_the_adopted_table_and_counts_in_it(start: Start, tmp_path: Path) -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"main": str(ROOT)}), encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": CONFIG}), encoding="utf-8")
    cloud = start("--port", "0", "--program", str(tmp_path))
    assert cloud.outputs["tableName"] == "tutorial"
    assert cloud.outputs["streamArn"].startswith("arn:aws:dynamodb:eu-west-1:000000000000:table/tutorial/stream/")
    assert cloud.errors.count("Note: the table 'tutorial', which the program looks up, was created") == 1
    assert cloud.request("/tag/adopted", "POST").json == {"tag": "adopted", "count": 1}
    eventually(lambda: cloud.request("/counts").json["total"] == 1, 20, "the total")
    tables = cloud.client("dynamodb").list_tables()["TableNames"]
    assert sorted(name.rpartition("-")[0] or name for name in tables) == ["counter-idempotency", "tutorial"]
