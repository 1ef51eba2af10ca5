"""What a command works on: the outputs of one deployment, and clients for the place where it runs.

The outputs come from Pulumi's stack, from a file, from the local cloud that runs on this machine, or each from an
option. All sources are read here; the commands know only `Deployment`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOCAL_PREFIX = "counter-local-"
"""The prefix of the temporary folder that every running local cloud has."""

LOCAL_OUTPUTS = "outputs.json"
"""The file in that folder with the outputs, as `./counter local --json` prints them."""

FUNCTIONS = "functionNames"
FUNCTION_KEYS = ("welcome", "recordVisit", "viewCounts", "processStream")
"""The keys of that output."""

_SECRET = "[secret]"  # noqa: S105 - no password, but what stands for one
"""What the Pulumi CLI prints in the place of a secret."""

_PULUMI_SECONDS = 120.0
_CONNECT_SECONDS = 2.0


class DeploymentError(Exception):
    """A deployment's outputs cannot be read, are incomplete or have invalid values."""


@dataclass(frozen=True)
class Deployment:
    """One deployment: the outputs of its stack, its region, and the endpoint of a local cloud, if it runs on one.

    `is_local` says that it was found as the local cloud of this machine, whose root user needs no credentials.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    region: str | None = None
    endpoint_url: str | None = None
    is_local: bool = False

    @property
    def table(self) -> str:
        """The name of the table that holds the counts and the total."""
        return self.text("tableName")

    @property
    def functions(self) -> Mapping[str, str]:
        """The functions' names by their keys, such as `processStream`."""
        names: Mapping[str, str] = self.outputs.get(FUNCTIONS, {})
        return names

    def has(self, output: str) -> bool:
        """Whether the deployment has the output."""
        return output in self.outputs

    def text(self, output: str) -> str:
        """Return an output whose presence was checked when the deployment was read."""
        return str(self.outputs[output])

    def client(self, service: str) -> Any:
        """Make a client of an AWS service in the deployment's region, or of its local cloud."""
        from . import aws  # noqa: PLC0415 - takes a while, and `--help` does without

        return aws.client(
            service,
            region=self.region,
            endpoint_url=self.endpoint_url,
            as_root=self.is_local,
            session=self._session,
        )

    @cached_property
    def _session(self) -> Any:
        from . import aws  # noqa: PLC0415

        return aws.new_session()


def deployment(
    outputs: Mapping[str, Any],
    *,
    needs: Sequence[str] = (),
    region: str | None = None,
    endpoint_url: str | None = None,
    is_local: bool = False,
    source: str = "",
) -> Deployment:
    """Check `outputs`, and make a deployment of them. `source` is where they are from, for errors.

    The region is that of the table's ARN unless one is given; the endpoint is the output `endpointUrl`, which only a
    local cloud has. Raises DeploymentError that names the first output of `needs` that is missing, or is invalid.
    """
    place = f"{source}: " if source else ""
    for name, value in outputs.items():
        parts = value.values() if name == FUNCTIONS and isinstance(value, Mapping) else (value,)
        if name in _CHECKED | {FUNCTIONS} and _SECRET in parts:
            hint = "give --outputs with a file that `pulumi stack output --json --show-secrets` printed"
            raise DeploymentError(f"{place}{name} is a secret, whose value was left out; {hint}")
        if name in _CHECKED and not (isinstance(value, str) and value):
            raise DeploymentError(f"{place}{name} is {value!r}; it must be a text that is not empty")
    names = outputs.get(FUNCTIONS, {})
    if not isinstance(names, Mapping) or not all(isinstance(name, str) and name for name in names.values()):
        raise DeploymentError(f"{place}{FUNCTIONS} is {names!r}; it must be an object of functions' names")
    for name in needs:
        key, _, function = name.partition(".")
        if key not in outputs or (function and function not in names):
            raise DeploymentError(
                f"{place}the output {name} is missing; export it from the program, or give {option_of(name)}"
            )
    arn = str(outputs.get("tableArn") or outputs.get("streamArn") or "").split(":")
    found = region or (arn[3] if len(arn) > 3 else None)
    return Deployment(outputs, found, endpoint_url or outputs.get("endpointUrl"), is_local)


OPTIONS = {
    "tableName": "--table",
    "idempotencyTableName": "--idempotency-table",
    "apiEndpoint": "--api-endpoint",
    "eventSourceMappingId": "--mapping",
    "deadLetterQueueUrl": "--queue",
    FUNCTIONS: "--function-name",
}
"""The option that gives each output."""

_CHECKED = frozenset(OPTIONS) - {FUNCTIONS} | {"tableArn", "streamArn", "endpointUrl"}


def option_of(output: str) -> str:
    """Return the option that gives an output: `--function-name processStream=…` for `functionNames.processStream`."""
    key, _, function = output.partition(".")
    return f"{OPTIONS[key]} {function}=…" if function else OPTIONS[key]


def read_file(path: Path) -> Mapping[str, Any]:
    """Read outputs as `pulumi stack output --json` and `./counter local --json` print them. `-` is standard input.

    UTF-8 and UTF-16 are told apart by the first bytes: PowerShell redirects output as UTF-16, with a byte order mark.
    """
    try:
        data = (Path("/dev/stdin") if str(path) == "-" else path).read_bytes()
        text = data.decode(json.detect_encoding(data))
    except (OSError, UnicodeDecodeError) as error:
        raise DeploymentError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return _parse(text, str(path))


def read_stack(stack: str) -> Mapping[str, Any]:
    """Ask the Pulumi CLI for the outputs of a stack of the project in the current folder."""
    command = ["pulumi", "stack", "output", "--json", "--non-interactive", "--stack", stack]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=_PULUMI_SECONDS
        )
    except FileNotFoundError:
        raise DeploymentError(
            "the Pulumi CLI is not installed, and only it can read a stack; install it (https://www.pulumi.com/docs/"
            "install/), or give --outputs with a file that `pulumi stack output --json` printed"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentError(f"pulumi cannot be run: {error}") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        reason = next((line for line in lines if line.startswith("error:")), lines[-1]).removeprefix("error: ")
        raise DeploymentError(f"pulumi cannot read stack {stack!r}: {reason}")
    return _parse(done.stdout, f"stack {stack}")


def read_local(endpoint_url: str | None) -> Mapping[str, Any]:
    """Return the outputs of the local cloud that runs on this machine; `endpoint_url` chooses one of several."""
    found = {str(one["endpointUrl"]): one for one in _running_clouds()}
    if endpoint_url is not None:
        if endpoint_url.rstrip("/") in found:
            return found[endpoint_url.rstrip("/")]
        raise DeploymentError(
            f"no local cloud of this user runs at {endpoint_url}; running: {', '.join(found) or 'none'}"
        )
    if not found:
        raise DeploymentError("no local cloud of this user is running; start one with `./counter local`")
    if len(found) > 1:
        raise DeploymentError(
            f"{len(found)} local clouds are running ({', '.join(found)}); choose one with --endpoint-url"
        )
    return next(iter(found.values()))


def write_local(folder: Path, outputs: Mapping[str, Any]) -> None:
    """Let `read_local` find a local cloud by its folder. The file is complete at once and readable by its user only."""
    part = folder / f"{LOCAL_OUTPUTS}.part"
    part.touch(0o600)
    part.write_text(json.dumps(outputs, default=str), encoding="utf-8")
    part.replace(folder / LOCAL_OUTPUTS)


def _running_clouds() -> list[Mapping[str, Any]]:
    """Return the outputs of the clouds that respond, oldest first. Files of other users could lead anywhere."""
    paths = Path(tempfile.gettempdir()).glob(f"{LOCAL_PREFIX}*/{LOCAL_OUTPUTS}")
    running: list[tuple[float, Mapping[str, Any]]] = []
    for path in paths:
        with suppress(OSError, DeploymentError, ValueError):
            state = path.stat()
            outputs = _parse(path.read_text(encoding="utf-8"), str(path))
            # A killed cloud leaves its file behind.
            if state.st_uid == os.getuid() and _responds(str(outputs.get("endpointUrl", ""))):
                running.append((state.st_mtime, outputs))
    return [outputs for _, outputs in sorted(running, key=lambda one: one[0])]


def _responds(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _parse(text: str, source: str) -> Mapping[str, Any]:
    try:
        outputs = json.loads(text)
    except ValueError:
        raise DeploymentError(f"{source}: the outputs are not JSON") from None
    if not isinstance(outputs, dict):
        raise DeploymentError(f"{source}: the outputs are not a JSON object of names and values")
    _refuse_nested(outputs, source)
    return outputs


def _refuse_nested(outputs: Mapping[str, Any], source: str) -> None:
    """Raise DeploymentError if a program exports the outputs inside another one, or a file has more around them."""
    known = _CHECKED | {FUNCTIONS}
    if known & outputs.keys():
        return
    for name, value in outputs.items():
        if isinstance(value, dict) and known & value.keys():
            hint = f"give --outputs with a file of it alone, as `pulumi stack output --json {name}` prints it"
            raise DeploymentError(f"{source}: the outputs are inside {name!r}; {hint}")
