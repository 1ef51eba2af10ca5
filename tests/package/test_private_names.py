"""Private names of other packages still exist; if one is gone, the failure says which part of the project needs it."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import internals
from components.internals import is_secret, settled
from local.emulator import internals as emulator

ROOT = Path(__file__).parents[2]
# Name, kind of object, and what breaks without it.
PRIVATE = [
    ("pulumi.runtime.rpc._special_sig_key", str, "the engine: secrets, assets and references in property values"),
    ("pulumi.runtime.rpc._special_secret_sig", str, "the engine: secrets"),
    ("pulumi.runtime.rpc._special_asset_sig", str, "the engine: assets"),
    ("pulumi.runtime.rpc._special_archive_sig", str, "the engine: archives, so every function's code"),
    ("pulumi.runtime.rpc._special_resource_sig", str, "the engine: resources as inputs"),
    ("pulumi.runtime.rpc._special_output_value_sig", str, "the engine: Outputs that the plugin is given"),
    ("pulumi.runtime.rpc.UNKNOWN", str, "the engine: unknown values in previews"),
    ("pulumi.runtime.config.CONFIG.get", object, "the refusal of unknown configuration keys"),
    ("pulumi.runtime.settings.SETTINGS.outputs", object, "the kit: waiting for the Outputs of a program"),
    ("pulumi.runtime.settings.ROOT.set", object, "the kit: several programs in one process"),
    ("pulumi.runtime.stack.run_in_stack", object, "the kit and the local cloud: running a program"),
    ("pulumi.provider.experimental.component.ComponentProvider.map_inputs", object, "the plugin: strict inputs"),
    ("pulumi.provider.experimental.util.camel_case", object, "the plugin: names in error messages"),
    ("pulumi.provider.server.ComponentInitError", type, "the plugin: a refused argument as one sentence"),
    ("ministack.app.app", object, "the local cloud: the emulator itself"),
    ("ministack.app._enforce_execute_api", object, "the local cloud: routes with AWS_IAM refuse what is not signed"),
    ("ministack.app._execute_api_authorization_type", object, "the local cloud: routes with AWS_IAM"),
    ("ministack.core.responses.get_region", object, "the local cloud: the total of a table in another region"),
    ("ministack.services.apigateway_v1.find_domain_scope", object, "the local cloud: requests to a custom domain"),
    ("ministack.services.apigateway._cors_response_headers", object, "the local cloud: `Vary` with CORS"),
    ("ministack.core.lambda_runtime.Worker._drain_stderr_bounded", object, "the local cloud: fast invocations"),
    ("ministack.services.lambda_svc._create_esm", object, "the local cloud: tumbling windows"),
    ("ministack.services.lambda_svc._update_esm", object, "the local cloud: tumbling windows"),
    ("ministack.services.lambda_svc._esms.get", object, "the local cloud: tumbling windows"),
    ("ministack.services.lambda_svc._iter_all_esms", object, "the local cloud: tumbling windows"),
    ("ministack.services.lambda_svc._apply_filter_criteria", object, "the local cloud: tumbling windows"),
    ("ministack.services.lambda_svc._execute_function", object, "the local cloud: tumbling windows"),
    ("ministack.services.dynamodb.stream_records_since", object, "the local cloud: tumbling windows"),
    ("ministack.services.dynamodb_streams._DEFAULT_SHARD_ID", str, "the local cloud: tumbling windows"),
]


def look_up(path: str) -> object:
    """Import as much of a dotted path as is a module, and read the rest of it."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


@pytest.mark.parametrize(("path", "kind", "used_by"), PRIVATE, ids=[path for path, _, _ in PRIVATE])
def test_a_private_name_is_still_there(path: str, kind: type, used_by: str) -> None:
    try:
        found = look_up(path)
    except (AttributeError, ModuleNotFoundError) as error:
        pytest.fail(f"{path} is gone ({error}); it is needed by {used_by}", pytrace=False)
    assert isinstance(found, kind), f"{path} is a {type(found).__name__} now; it is needed by {used_by}"


def test_a_loss_is_reported_with_its_consequence() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"is gone .* needed by everything"):
        test_a_private_name_is_still_there("pulumi.runtime.rpc._no_such_name", str, "everything")


@pytest.mark.parametrize("secret", [True, False])
def test_an_output_shows_its_value_once_it_has_one(secret: bool) -> None:
    async def made() -> list[tuple[object, bool]]:
        value: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        output: pulumi.Output[str] = pulumi.Output.from_input(value)
        output = pulumi.Output.secret(output) if secret else output
        before = settled(output), is_secret(output)
        value.set_result("hush")
        await output.future()
        return [before, (settled(output), is_secret(output))]

    assert asyncio.run(made()) == [(None, True), (internals.Settled("hush", known=True, secret=secret), secret)], (
        "_data of Output is needed by the plugin's checks"
    )


@pytest.mark.parametrize("cancelled", [True, False])
def test_an_output_that_failed_shows_nothing(cancelled: bool) -> None:
    async def made() -> object:
        value: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        output: pulumi.Output[str] = pulumi.Output.from_input(value)
        if cancelled:
            value.cancel()
        else:
            value.set_exception(ValueError("failed"))
        await asyncio.wait([asyncio.ensure_future(output.future())])
        return settled(output)

    assert asyncio.run(made()) is None


def test_an_output_that_hides_its_value_shows_nothing() -> None:
    hidden: Any = object()
    assert settled(hidden) is None


def test_a_resource_keeps_its_protection() -> None:
    source = inspect.getsource(pulumi.Resource.__init__)
    assert "self._protect = " in source, "Resource._protect is needed by deletionProtection"


def test_the_emulator_logs_batches_as_they_are_read() -> None:
    runtime = importlib.import_module("ministack.services.lambda_svc")
    source = inspect.getsource(runtime)
    for text in (emulator.BATCH_DONE, emulator.BATCH_FAILED):
        assert text in source, f"the emulator no longer logs {text!r}, which ./counter local needs"


def test_the_emulator_still_takes_a_wait_for_the_first_log_line() -> None:
    worker = look_up("ministack.core.lambda_runtime.Worker")
    assert "first_line_wait" in inspect.signature(worker._drain_stderr_bounded).parameters  # type: ignore[attr-defined]


def test_the_emulator_still_checks_requests_to_apis_with_the_same_parameters() -> None:
    names = ["api_id", "stage", "method", "execute_path", "headers"]
    for path, count in (("_enforce_execute_api", 5), ("_execute_api_authorization_type", 4)):
        parameters = inspect.signature(look_up(f"ministack.app.{path}")).parameters  # type: ignore[arg-type]
        assert list(parameters)[:count] == names[:count]


def test_the_emulator_still_polls_streams_in_the_same_steps() -> None:
    source = inspect.getsource(look_up("ministack.services.lambda_svc._poll_dynamodb_streams"))  # type: ignore[arg-type]
    steps = [
        "in _iter_all_esms():",
        "batch = _ddb.stream_records_since(table_name, pos, batch_size)",
        "raw_len = len(batch)",
        "batch = _apply_filter_criteria(batch, esm)",
        "if not batch:",
        'event = {"Records": batch}',
        "result = _execute_function(func_rec, event)",
    ]
    places = [source.find(step) for step in steps]
    assert -1 not in places, f"{steps[places.index(-1)]!r} is gone; it is needed by the local cloud: tumbling windows"


def defined(folder: Path) -> set[str]:
    """Return the names of all functions and methods that a folder's modules define."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def private_uses(path: Path, defined: set[str]) -> Iterator[str]:
    """Go through the underscored names that a module imports of other packages, or reads off what is not `defined`."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    own = {"self", "cls", "os", *(node.name for node in nodes if isinstance(node, ast.ClassDef))}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("pulumi", "ministack")):
            names = [*(node.module or "").split("."), *(name.name for name in node.names)]
            yield from (name for name in names if name.startswith("_"))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in own:
            names = re.findall("^_[^_].*", node.attr)
            yield from (f"{node.value.id}.{name}" for name in names if name not in defined)


@pytest.mark.parametrize("folder", ["components", "local", "cli"])
def test_only_one_module_for_each_package_uses_private_names(folder: str) -> None:
    doors = {ROOT / "components" / "internals.py", ROOT / "local" / "emulator" / "internals.py"}
    own = defined(ROOT / folder)
    found = {
        str(path.relative_to(ROOT)): uses
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path not in doors and (uses := list(private_uses(path, own)))
    }
    assert not found, "move these to components/internals.py, or to local/emulator/internals.py for the emulator's"
