"""Starting, watching and stopping the emulator's process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cli.deployment import LOCAL_PREFIX

from ..environment import clean, with_credentials
from .internals import READY_PATH

HOST = "127.0.0.1"
_ROOT = Path(__file__).resolve().parents[2]
# Not by PYTHONPATH: functions' processes inherit the environment, and must find nothing but their archive.
_ENTRY = "import sys; sys.path.insert(0, sys.argv.pop(1)); from local.emulator.serve import main; main()"
_SETTINGS = {
    "BIND_HOST": HOST,
    "AUTH": "true",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    # As in Lambda, whatever the locale of this machine is.
    "PYTHONUTF8": "1",
    # Without a daemon to ask, the emulator leaves this machine's containers alone.
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
}
_STOP_SECONDS = 1.0
_LOG_LINES = 15

Event = Mapping[str, Any]


class PortInUseError(Exception):
    """The port that was asked for belongs to another process, or may not be used."""


class EmulatorError(Exception):
    """The emulator did not start, or ended by itself; the message has the end of its log."""


class Emulator:
    """One emulator on a port of the loopback interface; port 0 takes any free one.

    `on_event` is called, from another thread, with each event that the emulator reports. Raises PortInUseError
    at once if the port is taken; EmulatorError comes from `wait` and `check`.
    """

    def __init__(self, *, port: int, region: str, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self._directory = Path(tempfile.mkdtemp(prefix=LOCAL_PREFIX))
        try:
            # The socket is bound here and inherited: no other process can take the port in between.
            with _listen(port) as listener:
                self.port: int = listener.getsockname()[1]
                self.origin = f"http://{HOST}:{self.port}"
                self._process = self._start(listener, region)
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise

    @property
    def directory(self) -> Path:
        """The folder of its files, which `stop` removes. Only this user may read it."""
        return self._directory

    def wait(self, timeout: float) -> None:
        """Return as soon as the emulator answers. Raises EmulatorError if it does not within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self.check()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise EmulatorError(f"the emulator did not respond within {timeout:g} s{self._end_of_log()}")
            with contextlib.suppress(OSError):
                _open(f"{self.origin}{READY_PATH}", timeout=min(1.0, remaining))
                return
            time.sleep(0.02)

    def check(self) -> None:
        """Raise EmulatorError if the emulator is no longer running."""
        if self._process.poll() is not None:
            raise EmulatorError(f"the emulator ended with status {self._process.returncode}{self._end_of_log()}")

    def stop(self) -> None:
        """End the emulator and its functions' processes, and remove what they wrote. Idempotent."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
        if self._process.stdin:
            self._process.stdin.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, listener: socket.socket, region: str) -> subprocess.Popen[bytes]:
        reading, writing = os.pipe()
        environment = {
            **with_credentials(clean(os.environ), endpoint=self.origin, region=region),
            **_SETTINGS,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": region,
            **dict.fromkeys(("TMPDIR", "STATE_DIR", "S3_DATA_DIR"), str(self._directory)),
        }
        descriptors = (listener.fileno(), writing)
        try:
            with self._log.open("wb") as log:
                process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-c", _ENTRY, str(_ROOT), *map(str, descriptors)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    cwd=self._directory,
                    pass_fds=descriptors,
                    start_new_session=True,
                )
        finally:
            os.close(writing)
        threading.Thread(target=self._read_events, args=(reading,), daemon=True).start()
        return process

    def _read_events(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8") as lines:
            for line in lines:
                self._on_event(json.loads(line))

    @property
    def _log(self) -> Path:
        return self._directory / "emulator.log"

    def _end_of_log(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "; the end of its log:\n" + "\n".join(f"  {line}" for line in lines[-_LOG_LINES:]) if lines else ""


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        raise PortInUseError(f"port {port} {reason}; choose another with --port, or 0 for any free one") from None
    return listener


def _open(url: str, *, timeout: float) -> None:
    # No proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout):
        pass
