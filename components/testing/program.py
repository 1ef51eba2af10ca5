"""Run a Pulumi program in this process, against a monitor instead of the engine."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import runpy
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime import Settings, configure, set_all_config
from pulumi.runtime.stack import run_in_stack

from ..engine.monitor import RecordingMonitor
from ..engine.resource import STACK_TYPE, Invoke, Resource
from ..engine.server import Message, RecordingEngine
from ..internals import all_outputs, forget_stack

Program = Callable[[], object] | Path


class ProgramProblemsError(AssertionError):
    """The program ran, but registered something that would be wrong in a deployment."""


@dataclass(frozen=True)
class Result:
    """The resources, outputs and log messages of one run of a program."""

    monitor: RecordingMonitor
    messages: tuple[Message, ...]

    @property
    def resources(self) -> list[Resource]:
        """Every resource but the stack itself, in order of registration."""
        return [resource for resource in self.monitor.resources if resource.type != STACK_TYPE]

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, with secrets unwrapped and unknown values as `UNKNOWN`."""
        return self.monitor.outputs

    @property
    def invokes(self) -> list[Invoke]:
        """The provider functions that were called."""
        return self.monitor.invokes

    @property
    def warnings(self) -> list[str]:
        """The texts of the warnings logged."""
        return [message.text for message in self.messages if message.severity == "warning"]

    @property
    def errors(self) -> list[str]:
        """The texts of the errors logged."""
        return [message.text for message in self.messages if message.severity == "error"]

    def all(self, *type_or_name: str) -> list[Resource]:
        """Return the resources of this type token, or of this logical name, or, given both, of both."""
        return [r for r in self.resources if all(wanted in (r.type, r.name) for wanted in type_or_name)]

    def one(self, *type_or_name: str) -> Resource:
        """Return the only resource that `all` finds. Raises LookupError for none or several."""
        found = self.all(*type_or_name)
        if len(found) != 1:
            candidates = "\n  ".join(str(resource) for resource in found or self.resources) or "nothing"
            wanted = " ".join(type_or_name)
            raise LookupError(f"{len(found)} resources match {wanted!r}; registered are:\n  {candidates}")
        return found[0]

    def by_urn(self, urn: str) -> Resource:
        """Return the resource of this URN, the stack included. Raises LookupError if there is none."""
        for resource in self.monitor.resources:
            if resource.urn == urn:
                return resource
        raise LookupError(f"no resource has the URN {urn}")

    def children(self, parent: Resource) -> list[Resource]:
        """Return the resources whose parent this one is."""
        return [resource for resource in self.resources if resource.parent == parent.urn]


def run(
    program: Program,
    *,
    config: Mapping[str, str] | None = None,
    stack: str = "test",
    project: str = "project",
    preview: bool = False,
    monitor: RecordingMonitor | None = None,
    strict: bool = True,
) -> Result:
    """Run a function, or a program's file or folder, and return the resources that it registered.

    `config` has full keys (`aws:region`, `project:key`) and strings, non-strings as JSON text. The program runs in a
    thread of its own; an exception of it comes out as it is. With `strict`, Outputs turned into strings raise
    ProgramProblemsError. A monitor given here decides over `stack`, `project` and `preview`. Modules that a program
    imports stay imported in this process.
    """
    monitor = monitor or RecordingMonitor(project=project, stack=stack, preview=preview)
    engine = RecordingEngine()
    context = contextvars.copy_context()
    # The caller may run an event loop. And Pulumi notes the whole stack of each resource, which is deep under pytest.
    with _no_garbage_collection(), ThreadPoolExecutor() as pool:
        pool.submit(context.run, _run, program, monitor, engine, config or {}).result()
    if strict and monitor.problems:
        raise ProgramProblemsError("\n".join(monitor.problems))
    return Result(monitor, tuple(engine.messages))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep the garbage collector off, which would look through tens of thousands of tasks again and again.

    Without it, a program of 25 counters takes 0.6 of the time, and the time grows in proportion to the resources.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _run(program: Program, monitor: RecordingMonitor, engine: RecordingEngine, config: Mapping[str, str]) -> None:
    forget_stack()
    set_all_config(dict(config))
    root = program if isinstance(program, Path) else Path.cwd()
    folder = root if root.is_dir() else root.parent
    configure(
        Settings(
            project=monitor.project,
            stack=monitor.stack,
            monitor=monitor,
            engine=engine,
            dry_run=monitor.preview,
            organization="organization",
            root_directory=str(folder),
        )
    )
    # Unlike asyncio.run, this leaves the thread's own event loop as it is, which Pulumi's mocks use.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(_await(program))


async def _await(program: Program) -> None:
    # One failure fails every Output that depends on it; the first is raised, the others would only be noise on stderr.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await run_in_stack(lambda: _start(program))


def _start(program: Program) -> Awaitable[None]:
    # A program's function may return anything; it must not be awaited.
    if isinstance(program, Path):
        runpy.run_path(str(program), run_name="__main__")
    else:
        program()
    return all_outputs()
