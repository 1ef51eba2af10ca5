"""Writes the golden schema anew: `.venv/bin/python tests/plugin/update_schema.py`."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from components.plugin import CounterProvider

    text = json.dumps(CounterProvider().document, indent=2, ensure_ascii=False) + "\n"
    (ROOT / "components" / "schema.json").write_text(text, encoding="utf-8")
