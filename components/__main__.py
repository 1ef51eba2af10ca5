"""The plugin's entry point: the engine runs this folder, for a project in any of Pulumi's languages."""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    # Python puts this folder first, whose modules belong to a package: it is the folder above that they import from.
    sys.path[0] = str(HERE.parent)
    importlib.import_module(f"{HERE.name}.plugin").serve()
