"""The start of a function's process: which clients it creates in the init phase, and what it needs for that."""

import subprocess
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError  # type: ignore[import-untyped]

from functions.dynamodb import client as database
from tests.functions.requests_of_model import CREDENTIALS, HANDLERS, PLAIN, started

INSPECT = (
    "import gc, sys, functions.{0}, functions.dynamodb.client as c; "
    "print(c.client.cache_info().currsize, c.single_attempt_client.cache_info().currsize, gc.isenabled(), "
    "gc.get_freeze_count() > 0, gc.get_threshold()[0] > 10_000, 'boto3' in sys.modules)"
)


@pytest.mark.parametrize("handler", HANDLERS)
def test_lambda_creates_the_clients_in_the_init_phase(handler: str) -> None:
    names = {"AWS_LAMBDA_FUNCTION_NAME": "counter", "_HANDLER": f"functions.{handler}.handler"}
    single = int(handler == "record_visit")
    assert started("-c", INSPECT.format(handler), **PLAIN, **names) == f"1 {single} True True True False\n"


@pytest.mark.parametrize("handler", HANDLERS)
def test_importing_a_function_elsewhere_needs_no_configuration(handler: str) -> None:
    assert started("-c", INSPECT.format(handler)) == "0 0 True False False False\n"


def test_client_error_in_init_phase_fails_first_invocation() -> None:
    script = (
        "import gc, functions.view_counts as view; print(gc.isenabled());"
        "print(view.handler({'rawPath': '/counts', 'routeKey': 'GET /counts', 'requestContext': {'http': "
        "{'method': 'GET'}}}, None)['statusCode'])"
    )
    shown = started("-c", script, **CREDENTIALS, AWS_LAMBDA_FUNCTION_NAME="x", TABLE_NAME="t")
    assert "could not be created in the init phase" in shown
    assert shown.startswith("True\n500\n")
    assert "You must specify a region" in shown


def test_requests_are_validated_in_the_tests_alone(tables: Any) -> None:
    script = "import functions.dynamodb.client as c; c.single_attempt_client().get_item(TableName='t', Key=1)"
    with pytest.raises(subprocess.CalledProcessError) as failed:
        started("-c", script, **PLAIN, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert "ParamValidationError" not in failed.value.stderr
    with pytest.raises(ParamValidationError):
        database.client().get_item(TableName="t", Key=1)
