"""The TypeScript example, checked by the compiler against the schema, and run to see what it asks for."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.plugin import NAME
from tests.npm import installed

EXAMPLE = Path(__file__).parents[2] / "examples" / "typescript"
PACKAGES = ("typescript@5.9.3", "@pulumi/pulumi@3.200.0", "@types/node@20.19.0")
PLAIN = {"string": "string", "boolean": "boolean", "integer": "number", "number": "number"}
ASSETS = {"pulumi.json#/Archive": "pulumi.asset.Archive", "pulumi.json#/Any": "any"}
# Instead of Pulumi: a component keeps what it is given, and every property of it is a reference to it.
SDK = """
exports.made = {};
const component = (type) => class {
    constructor(name, inputs) {
        exports.made[name] = { type, inputs };
        return new Proxy({}, { get: (_, key) => ({ of: name, name: key, apply() { return this; } }) });
    }
};
for (const type of TYPES) exports[type] = component(type);
"""
PULUMI = """
exports.asset = {
    FileAsset: class { constructor(path) { this.path = path; } },
    AssetArchive: class { constructor(assets) { this.assets = assets; } },
};
"""
RUN = """
const outputs = require("./index.js");
const { made } = require("@pulumi/stream-triggered-counter");
process.stdout.write(JSON.stringify({ made, outputs: Object.values(outputs) }));
"""


def check(source: str, folder: Path) -> list[str]:
    """Compile a program as `index.js` into the folder; return the compiler's errors."""
    home = installed("tsc", *PACKAGES)
    sdk = folder / "node_modules" / "@pulumi" / NAME
    sdk.mkdir(parents=True)
    schema = json.loads((EXAMPLE.parents[1] / "components" / "schema.json").read_text())
    (sdk / "index.d.ts").write_text(declarations(schema))
    types = [token.rpartition(":")[2] for token in schema["resources"]]
    (sdk / "index.js").write_text(f"const TYPES = {json.dumps(types)};\n{SDK}")
    (folder / "index.ts").write_text(source)
    settings = json.loads((EXAMPLE / "tsconfig.json").read_text())
    settings["compilerOptions"] |= {
        "outDir": ".",
        "paths": {"@pulumi/pulumi": [str(home / "node_modules" / "@pulumi" / "pulumi")]},
        "typeRoots": [str(home / "node_modules" / "@types")],
        "types": ["node"],
        "skipLibCheck": True,
    }
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    done = _run(str(home / "node_modules" / ".bin" / "tsc"), "--project", str(folder), cwd=folder)
    return [line for line in done.stdout.splitlines() if ": error " in line]


def run(folder: Path) -> Any:
    """Run what `check` has compiled; return the components that it makes and the outputs that it exports."""
    pulumi = folder / "node_modules" / "@pulumi" / "pulumi"
    pulumi.mkdir()
    (pulumi / "index.js").write_text(PULUMI)
    (folder / "run.js").write_text(RUN)
    done = _run("node", "run.js", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def declarations(schema: Mapping[str, Any]) -> str:
    """Declare the components as the SDK does that the Pulumi CLI generates from the schema."""
    text = ['import * as pulumi from "@pulumi/pulumi";']
    for token, declared in schema["types"].items():
        if "enum" in declared:
            values = " | ".join(json.dumps(member["value"]) for member in declared["enum"])
            text.append(f"export type {_short(token)} = {values};")
        else:
            text.append(_interface(_short(token), declared["properties"], declared.get("required", ())))
    for token, declared in schema["resources"].items():
        name, required = _short(token), declared.get("requiredInputs", ())
        outputs = [f"readonly {key}: pulumi.Output<{_type(one)}>;" for key, one in declared["properties"].items()]
        args = f"args{'' if required else '?'}: {name}Inputs"
        text.append(_interface(f"{name}Inputs", declared["inputProperties"], required))
        text.append(
            f"export declare class {name} extends pulumi.ComponentResource {{ {' '.join(outputs)} "
            f"constructor(name: string, {args}, opts?: pulumi.ComponentResourceOptions); }}"
        )
    return "\n".join(text) + "\n"


def _interface(name: str, properties: Mapping[str, Any], required: Any) -> str:
    members = [
        f"{key}{'' if key in required else '?'}: {_type(one) if one.get('plain') else f'pulumi.Input<{_type(one)}>'};"
        for key, one in properties.items()
    ]
    return f"export interface {name} {{ {' '.join(members)} }}"


def _type(declared: Mapping[str, Any]) -> str:
    if reference := declared.get("$ref"):
        return ASSETS.get(reference) or _short(reference)
    if declared["type"] == "array":
        return f"pulumi.Input<{_type(declared['items'])}>[]"
    if declared["type"] == "object":
        return f"{{[key: string]: pulumi.Input<{_type(declared['additionalProperties'])}>}}"
    return PLAIN[declared["type"]]


def _short(token: str) -> str:
    return token.rpartition(":")[2]


def _run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
