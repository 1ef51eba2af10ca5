"""Writes the golden schema anew: `.venv/bin/python tests/plugin/update_schema.py`.

With `--release` it writes `released.json` as well, which later schemas are held against.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def write(path: Path, schema: Any) -> None:
    """Write a schema as the tests expect it."""
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from components.plugin import CounterProvider
    from tests.plugin.compatibility import without_descriptions

    document = CounterProvider().document
    write(ROOT / "components" / "schema.json", document)
    if "--release" in sys.argv[1:]:
        write(ROOT / "tests" / "plugin" / "released.json", without_descriptions(document))
