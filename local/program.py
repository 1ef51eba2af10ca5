"""Running a Pulumi program in a process of its own, against a monitor in this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from components.engine.monitor import RecordingMonitor
from components.engine.server import RecordingEngine, serve
from components.engine.stack_config import StackConfig

from .launcher import NO_PULUMI

_LAUNCHER = Path(__file__).with_name("launcher.py")


class ProgramError(Exception):
    """The program failed; the message is its traceback or the reason why it could not run."""


class ProgramRun:
    """One run of a program: `run` does it, `stop` ends it from another thread or a signal handler."""

    def __init__(self, config: StackConfig, *, python: str, environment: Mapping[str, str]) -> None:
        self._config = config
        self._python = python
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def run(self, monitor: RecordingMonitor, engine: RecordingEngine) -> None:
        """Run the program to its end.

        Raises the monitor's own exception if it refused something, and ProgramError if the program failed.
        """
        if self._config.main.is_dir() and not (self._config.main / "__main__.py").is_file():
            raise ProgramError(f"{self._config.main} has no __main__.py; the local cloud runs only Python programs")
        refusals: list[Exception] = []
        with serve(monitor, engine, on_error=refusals.append) as address:
            status = self._execute(address, preview=monitor.preview)
        if refusals:
            raise refusals[0]
        if status:
            errors = [message.text for message in engine.messages if message.severity == "error"]
            raise ProgramError(self._explain(status, errors))

    def stop(self) -> None:
        """End the program's process group, if it is running."""
        if self._process and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _execute(self, address: str, *, preview: bool) -> int:
        order = {
            "project": self._config.project,
            "stack": self._config.stack,
            "organization": self._config.organization,
            "root": str(self._config.directory),
            "main": str(self._config.main),
            "config": dict(self._config.values),
            "engine": address,
            "preview": preview,
        }
        try:
            # What the program prints goes to standard error: standard output belongs to the stack outputs.
            self._process = subprocess.Popen(  # noqa: S603
                [self._python, str(_LAUNCHER)],
                stdin=subprocess.PIPE,
                stdout=2,
                text=True,
                cwd=self._config.working_directory,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"cannot start {self._python}: {error.strerror}") from None
        try:
            self._process.communicate(json.dumps(order))
        finally:
            self.stop()
        return self._process.returncode

    def _explain(self, status: int, errors: list[str]) -> str:
        if status == NO_PULUMI:
            return f"{self._python} cannot import the Pulumi SDK; choose another Python with --python"
        return errors[-1].rstrip() if errors else f"the program ended with status {status}"
