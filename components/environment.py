"""The environment variables of a function: their names and values, and how much room they have.

See "Defined runtime environment variables" in the Lambda Developer Guide, and "Function configuration" in its quotas.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from .checks import ArgumentError, Entries, Text
from .functions_package import API_FEATURES, IDEMPOTENCY_TABLE_NAME, ITEMS_PER_TAG, METRICS_NAMESPACE, TABLE_NAME
from .internals import settled

MAX_SIZE = 4_096
"""The maximum number of bytes of all variables of a function. Lambda measures them as one JSON object."""

RESERVED_BY_COMPONENT = (TABLE_NAME, IDEMPOTENCY_TABLE_NAME, METRICS_NAMESPACE, API_FEATURES, ITEMS_PER_TAG)
RESERVED_BY_LAMBDA = (
    *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV"),
    *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"),
    *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
    *("AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN", "AWS_LAMBDA_RUNTIME_API"),
    *("AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"),
)
"""The names that Lambda sets itself and refuses. It reserves no prefix: `AWS_XRAY_CONTEXT_MISSING`, `PATH`, `TZ` and
others may be set. Names that begin with an underscore are refused by their pattern."""


def _name(reserved: tuple[str, ...], but: str) -> Text:
    return Text(
        f"two or more letters, digits and underscores, starting with a letter; not a name that Lambda reserves{but}",
        rf"(?!({'|'.join(reserved)})$)[A-Za-z][A-Za-z0-9_]+",
    )


_VALUE = Text("text", r"[^\x00\ud800-\udfff]*", shown=False)
VARIABLES = Entries(_name(RESERVED_BY_LAMBDA, ", such as AWS_REGION or LAMBDA_TASK_ROOT"), _VALUE)
"""Variables of a function whose code is the user's."""
FURTHER_VARIABLES = Entries(
    _name(
        (*RESERVED_BY_LAMBDA, *RESERVED_BY_COMPONENT),
        f", such as AWS_REGION or LAMBDA_TASK_ROOT, and not {', '.join(RESERVED_BY_COMPONENT)}, which the component "
        "sets",
    ),
    _VALUE,
)
"""Variables beside the component's own."""


def size(variables: Mapping[str, Any]) -> int:
    """Return the number of bytes of the variables whose values are known; of the others, their names count."""
    known = {name: _known(value) or "" for name, value in variables.items()}
    return len(json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode())


def check_size(path: str, variables: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` if the variables are too large; values that are not known yet count as empty."""
    if (length := size(variables)) > MAX_SIZE:
        problem = f"the variables of a function, the component's own included, have {length:,} bytes as JSON"
        raise ArgumentError(path, problem, f"{MAX_SIZE:,} bytes or less")


def limited(path: str, variables: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Return the variables, whose size is checked now as far as it is known, and again before the function is created.

    One of the values waits for the others. It does not become secret if they are.
    """
    check_size(path, variables)
    later = {name: value for name, value in variables.items() if _known(value) is None}
    if not later:
        return dict(variables)

    def check(known: Mapping[str, Any]) -> None:
        check_size(path, {**variables, **known})

    public = {name: pulumi.Output.unsecret(pulumi.Output.from_input(value)) for name, value in later.items()}
    checked: pulumi.Output[Any] = pulumi.Output.all(**public).apply(check)
    last, value = list(later.items())[-1]
    return {**variables, last: pulumi.Output.all(value, checked).apply(lambda known: known[0])}


def _known(value: Any) -> str | None:
    if isinstance(value, pulumi.Output):
        held = settled(value)
        value = held.value if held and held.known else None
    return value if isinstance(value, str) else None
