"""One stack of a Pulumi project under the real CLI, with its state in a folder and nothing from the network."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

STACK = "test"
REGION = "eu-west-1"
SECONDS = 180
# Nothing listens there: whatever would leave this machine fails at once.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Step:
    """What an operation does, or would do, with one resource, as the engine reports it."""

    operation: str
    urn: str
    diffs: frozenset[str]

    @property
    def type(self) -> str:
        """The resource's type token."""
        return self.urn.split("::", 3)[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.rpartition("::")[2]

    def __str__(self) -> str:
        return f"{self.operation} {self.type.rpartition(':')[2]} {self.name}"


@dataclass(frozen=True)
class Done:
    """How a command of the CLI ended: its exit status, what it printed, and the steps that it took or planned."""

    status: int
    text: str
    steps: list[Step]

    @property
    def changes(self) -> list[Step]:
        """The steps that change something; a replacement is one step."""
        return [step for step in self.steps if step.operation in ("create", "update", "replace", "delete")]

    def ok(self) -> Done:
        """Return this, if the command succeeded."""
        assert self.status == 0, self.text
        return self


class Stack:
    """A project's folder, and the commands of the CLI on its stack, by default with a region and no other setting."""

    def __init__(
        self,
        directory: Path,
        project: Mapping[str, Any],
        environment: Mapping[str, str],
        *,
        name: str = STACK,
        configured: bool = True,
    ) -> None:
        self.directory = directory / "project"
        self.directory.mkdir(parents=True)
        self._log = directory / "events"
        for folder in ("state", "pulumi", "home"):
            (directory / folder).mkdir()
        self.state_folder = directory / "state"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory / "home"),
            "PULUMI_HOME": str(directory / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.state_folder}",
            "PULUMI_CONFIG_PASSPHRASE": "not a secret",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # Without it the CLI does not know `--event-log`.
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
            **environment,
        }
        (self.directory / "Pulumi.yaml").write_text(yaml.safe_dump(dict(project)), encoding="utf-8")
        self.project = str(project["name"])
        self.name = name
        self.run("stack", "init", name).ok()
        if configured:
            self.configure({})

    @property
    def file(self) -> Path:
        """The stack's configuration file."""
        return self.directory / f"Pulumi.{self.name}.yaml"

    def configure(self, values: Mapping[str, Any]) -> None:
        """Replace the project's own configuration values; keys without a namespace are the project's."""
        content = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        own = {key if ":" in key else f"{self.project}:{key}": value for key, value in values.items()}
        content["config"] = {"aws:region": REGION, **own}
        self.file.write_text(yaml.safe_dump(content), encoding="utf-8")

    def run(self, *arguments: str) -> Done:
        """Run a command of the CLI, whatever becomes of it."""
        self._log.unlink(missing_ok=True)
        observed = arguments[0] in ("preview", "up", "refresh", "destroy")
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"]
            + ([f"--event-log={self._log}"] if observed else []),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, list(self._steps()))

    def preview(self, *options: str) -> Done:
        """Show what `up` would do."""
        return self.run("preview", *options)

    def up(self, *options: str) -> Done:
        """Deploy, without a preview."""
        return self.run("up", "--yes", "--skip-preview", *options)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        done = self.run("stack", "output", "--json").ok()
        found: dict[str, Any] = json.loads(done.text)
        return found

    def state(self) -> dict[str, Any]:
        """Return the stack's state as the CLI exports it."""
        found: dict[str, Any] = json.loads(self.run("stack", "export").ok().text)
        return found

    def _steps(self) -> Iterator[Step]:
        if not self._log.exists():
            return
        for line in self._log.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            metadata = event.get("resourcePreEvent", {}).get("metadata")
            if metadata:
                diffs = frozenset(metadata.get("diffs") or ())
                yield Step(metadata["op"], metadata["urn"], diffs)
