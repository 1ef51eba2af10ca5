"""A local cloud in a process of its own, as people and other programs start it."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

Result = TypeVar("Result")
ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.text)


class RunningCloud:
    """`counter local --json` as a child process; started at once, with its outputs as soon as it prints them."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None, root: Path = ROOT) -> None:
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, str(root / "cli"), "local", "--json", *(arguments or ("--port", "0"))],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd="/",
            env={**os.environ, **(environment or {})},
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._outputs: dict[str, Any] | None = None

    @property
    def outputs(self) -> dict[str, Any]:
        """The line of outputs; waits for it."""
        if self._outputs is None:
            try:
                line = self._lines.get(timeout=START_SECONDS)
            except queue.Empty:
                line = ""
            assert line, f"no outputs; exit status {self.process.poll()}, standard error:\n{self.errors}"
            self._outputs = json.loads(line)
        return self._outputs

    @property
    def further_lines(self) -> list[str]:
        """What it printed on standard output after the outputs, once it has ended."""
        rest = []
        while (line := self._lines.get(timeout=10)) != "":
            rest.append(line)
        return rest

    @property
    def errors(self) -> str:
        """What it printed on standard error so far."""
        self._errors.seek(0)
        return self._errors.read()

    def request(
        self, path: str, method: str = "GET", *, base: str = "apiEndpoint", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask the API with Python's urllib, which is the pickiest of clients about host names."""
        request = urllib.request.Request(self.outputs[base] + path, method=method, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read().decode())

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """Make an AWS client for the emulator: as root, or with the credentials of an assumed role."""
        given = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.outputs["endpointUrl"],
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
            config=Config(retries={"total_max_attempts": 1}, proxies={}, inject_host_prefix=False),
        )

    @property
    def region(self) -> str:
        """The region that the stack is in."""
        arn = str(self.outputs.get("tableArn") or self.outputs.get("firstTableArn") or "arn:aws:dynamodb:eu-west-1")
        return arn.split(":")[3]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def kill(self) -> None:
        """Make sure that it is gone, whatever the test did."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
        self._errors.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")


def broken_pipe() -> int:
    """Open a pipe that nobody reads; returns the descriptor to write to, which the caller closes."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread: a browser driver may keep an event loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def descendants(pid: int) -> set[int]:
    """Every process that this one started, directly or not."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, table.splitlines())}
    found: set[int] = set()
    grown = {pid}
    while grown:
        grown = {child for child, parent in parents.items() if parent in grown} - found
        found |= grown
    return found


def running(pids: set[int]) -> set[int]:
    """Those of the processes that still run."""
    states = subprocess.run(["ps", "-eo", "pid=,state="], capture_output=True, text=True, check=True).stdout
    return {int(pid) for pid, state in map(str.split, states.splitlines()) if state != "Z"} & pids


def eventually(check: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until the check holds; fail with what was expected if it does not in time."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
