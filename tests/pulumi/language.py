"""A stand-in for Pulumi's language hosts, which come with the CLI's releases but not with its Go module.

It runs Python programs and plugins in this environment's Python, and generates SDKs with Pulumi's own generators if
they are built. It installs nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

# What the real host's runner ends with if it has shown its user what went wrong.
SHOWN = 32


class Language(language_pb2_grpc.LanguageRuntimeServicer):
    """The servicer; `program` is what it runs, wherever the project lies, and `sdkgen` the generators' binary."""

    def __init__(self, language: str, sdkgen: str | None = None) -> None:
        self._language = language
        self._sdkgen = sdkgen
        self._engine = ""
        self.program: Path | None = None

    def Handshake(self, request: Any, context: Any) -> Any:
        """Learn where the engine is that has just attached to this host."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.0.0")

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        yield language_pb2.InstallDependenciesResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program in a process of its own."""
        program = self.program or Path(request.info.program_directory)
        runner = shutil.which("pulumi-language-python-exec")
        assert runner, "no pulumi-language-python-exec beside pulumi on PATH"
        options = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": str(request.parallel),
            "dry_run": str(request.dryRun).lower(),
            "root_directory": request.info.root_directory,
            "pwd": str(program if program.is_dir() else program.parent),
        }
        done = subprocess.run(
            [sys.executable, runner, *(f"--{name}={value}" for name, value in options.items()), str(program)],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            },
            timeout=120,
            check=False,
        )
        if done.returncode == SHOWN:
            return language_pb2.RunResponse(bail=True)
        error = f"Program exited with non-zero exit code: {done.returncode}" if done.returncode else ""
        return language_pb2.RunResponse(error=error)

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a plugin's folder, and pass on what it prints until the engine hangs up."""
        process = subprocess.Popen(
            [sys.executable, request.info.program_directory, *request.args],
            cwd=request.pwd or None,
            env={key: value for key, _, value in (one.partition("=") for one in request.env)} or None,
            stdout=subprocess.PIPE,
        )
        context.add_callback(process.kill)
        assert process.stdout
        for line in process.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def GeneratePackage(self, request: Any, context: Any) -> Any:
        """Write an SDK with the generator that the real host calls."""
        if self._sdkgen is None:
            return context.abort(grpc.StatusCode.UNIMPLEMENTED, "the generators are not built")
        done = subprocess.run(
            [self._sdkgen, self._language, request.directory],
            input=request.schema,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            return context.abort(grpc.StatusCode.UNKNOWN, done.stderr)
        return language_pb2.GeneratePackageResponse()


@contextmanager
def serve(*languages: Language) -> Iterator[list[int]]:
    """Serve each on a free loopback port until the block ends."""
    servers, ports = [], []
    for one in languages:
        server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 400 * 1024 * 1024)])
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(one, server)
        ports.append(server.add_insecure_port("127.0.0.1:0"))
        server.start()
        servers.append(server)
    try:
        yield ports
    finally:
        for server in servers:
            server.stop(grace=None).wait()
