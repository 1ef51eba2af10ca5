"""Environment variables: the names that Lambda reserves, and the room that it allows."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components import ArgumentError, StreamConsumer, StreamTriggeredCounter
from components.environment import MAX_SIZE, RESERVED_BY_LAMBDA, size
from components.testing import RecordingMonitor, Result, run

from .conftest import Build
from .test_stream_consumer import OWN

FUNCTION = "aws:lambda/function:Function"
DOCUMENTED_AS_UNRESERVED = (
    *("LANG", "PATH", "LD_LIBRARY_PATH", "NODE_PATH", "NODE_OPTIONS", "PYTHONPATH", "GEM_PATH", "TZ"),
    *("AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "AWS_LAMBDA_DOTNET_PREJIT"),
)


def counter(environment: Any, **groups: Any) -> Callable[[], object]:
    def program() -> object:
        given = environment() if callable(environment) else environment
        return StreamTriggeredCounter("counter", {"functions": {"environment": given}, **groups})  # type: ignore[typeddict-item]

    return program


def consumer(variables: Any = None, environment: Any = None) -> Callable[[], object]:
    def program() -> object:
        given = variables() if callable(variables) else variables
        args: Any = {**OWN, "variables": given, "function": {"environment": environment}}
        return StreamConsumer("audit", args)

    return program


def rejected(program: Callable[[], object]) -> tuple[str, list[str]]:
    monitor = RecordingMonitor()
    with pytest.raises(ArgumentError) as raised:
        run(program, monitor=monitor)
    return str(raised.value), [resource.type for resource in monitor.resources if resource.custom]


@pytest.mark.parametrize("name", [*RESERVED_BY_LAMBDA, "_HANDLER", "_X_AMZN_TRACE_ID", "A", "A-B", "1A", "Ä_B"])
def test_reserved_or_invalid_name_is_an_error(name: str) -> None:
    for program, path in (
        (counter({name: "x"}), "functions.environment"),
        (consumer(variables={name: "x"}), "variables"),
        (consumer(environment={name: "x"}), "function.environment"),
    ):
        message, made = rejected(program)
        assert message.startswith(f"{path} (key): {name!r} is invalid; allowed: two or more letters")
        assert "Lambda reserves" in message
        assert made == []


@pytest.mark.parametrize("name", DOCUMENTED_AS_UNRESERVED)
def test_unreserved_name_is_allowed(name: str) -> None:
    for result in (run(counter({name: "x"})), run(consumer({name: "x"}))):
        assert {one.inputs["environment"]["variables"][name] for one in result.all(FUNCTION)} == {"x"}


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_value_that_no_variable_can_hold_is_an_error(value: str) -> None:
    assert rejected(counter({"TEXT": value}))[0].startswith(
        "functions.environment.TEXT: a value of type str is invalid"
    )


def test_size_is_that_of_the_json_object() -> None:
    variables = {"AB": 'quoted "é"', "CD": "\n"}
    assert size(variables) == len('{"AB":"quoted \\"é\\"","CD":"\\n"}'.encode())


def largest_value(result: Result, name: str) -> int:
    """Return the length of the longest value of a variable FILL that fits beside a function's other variables."""
    [variables] = [one.inputs["environment"]["variables"] for one in result.all(FUNCTION) if one.name == name]
    return MAX_SIZE - size({**variables, "FILL": ""})


def test_variables_may_fill_the_limit_and_no_more(build: Build) -> None:
    # The tables' names are known only while resources are created.
    most = largest_value(build(), "counter-record-visit")
    assert len(run(counter({"FILL": "x" * most})).all(FUNCTION)) == 4
    message, made = rejected(counter({"FILL": "x" * (most + 1)}))
    assert message == (
        "functions.environment: the variables of a function, the component's own included, have 4,097 bytes as JSON; "
        "allowed: 4,096 bytes or less"
    )
    assert made.count(FUNCTION) < 4


def test_too_much_known_text_is_an_error_before_any_resource() -> None:
    for program, path in (
        (counter({"FILL": "x" * 4_000}), "functions.environment"),
        (consumer({"FILL": "x" * 4_096}), "variables"),
        (consumer({"A_B": "x" * 100}, {"FILL": "x" * 4_000}), "function.environment"),
    ):
        message, made = rejected(program)
        assert message.startswith(f"{path}: the variables of a function")
        assert made == []


def test_components_own_variables_count() -> None:
    tags = ["x" * 190] * 10
    fill = {"FILL": "x" * 2_000}
    assert run(counter(fill)).all(FUNCTION)
    message, made = rejected(counter(fill, api={"allowed_tags": tags}))
    assert message.startswith("functions.environment: the variables of a function")
    assert made == []


def test_arguments_alone_may_be_too_much() -> None:
    tokens = {
        "record_authorization": "JWT",
        "jwt_issuer": f"https://example.org/{'x' * 1_900}",
        "jwt_audiences": ["counter"],
        "allowed_tags": ["x" * 190] * 10,
        "record_scopes": ["y" * 60] * 5,
    }
    message, made = rejected(counter({}, api=tokens))
    assert message.startswith("api.allowed_tags: the variables of a function, the component's own included, have 4,")
    assert made == []


def outputs(count: int) -> Callable[[], dict[str, Any]]:
    return lambda: {f"FILL_{n}": aws.sqs.Queue(f"queue-{n}", name="x" * 79).name for n in range(count)}


def test_outputs_are_measured_before_the_function_is_created() -> None:
    assert run(counter(outputs(40))).all(FUNCTION)
    message, made = rejected(counter(outputs(50)))
    assert message.startswith("functions.environment: the variables of a function")
    assert FUNCTION not in made
    message, made = rejected(consumer(outputs(50)))
    assert message.startswith("variables: the variables of a function")
    assert FUNCTION not in made


def test_waiting_for_a_secret_makes_no_other_value_secret() -> None:
    result = run(counter(lambda: {"TOKEN": pulumi.Output.secret("hush")}))
    for function in result.all(FUNCTION):
        assert list(function.secrets) == ["environment.variables.TOKEN"]
        assert function.inputs["environment"]["variables"]["TABLE_NAME"].startswith("counter-table")


def test_unknown_output_is_left_to_the_update() -> None:
    result = run(counter(outputs(50)), preview=True)
    assert len(result.all(FUNCTION)) == 4
