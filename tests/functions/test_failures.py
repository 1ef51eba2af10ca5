"""The answers to clients when DynamoDB rejects a request, does not answer, or the deployment is wrong."""

import logging
from typing import Any

import pytest
from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from functions import record_visit, view_counts, welcome
from tests.doubles import client_error
from tests.functions.conftest import forget
from tests.functions.gateway import request

pytestmark = pytest.mark.usefixtures("tables", "short_budgets")


def refused(code: str) -> ClientError:
    return client_error(code, message="a secret of the account")


@pytest.mark.parametrize(
    "error",
    [
        refused("ProvisionedThroughputExceededException"),
        refused("ThrottlingException"),
        refused("TransactionConflictException"),
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
        ProxyConnectionError(proxy_url="x"),
    ],
)
def test_visit_rejected_to_the_end_is_a_503_not_counted(error: Any, refuse: Any) -> None:
    calls = refuse("update_item", error, error, error, error, error, error)
    answer = request("POST", "/tag/a")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "was not counted" in answer.json["detail"]
    assert len(calls) == 3
    assert request("GET", "/counts/a").json["count"] == 0


def test_visit_rejected_once_is_counted_once(refuse: Any) -> None:
    refuse("update_item", refused("ThrottlingException"))
    assert request("POST", "/tag/a").json["count"] == 1


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="x"),
        ConnectionClosedError(endpoint_url="x"),
        # A TLS error may come after the request was sent.
        SSLError(endpoint_url="x", error="eof"),
        HTTPClientError(error="x"),
        refused("InternalServerError"),
        refused("InternalFailure"),
        refused("ServiceUnavailable"),
    ],
)
def test_visit_whose_response_was_lost_is_not_retried(error: Any, refuse: Any) -> None:
    calls = refuse("update_item", error)
    answer = request("POST", "/tag/a")
    assert answer.status == 503
    assert answer.json["detail"] == (
        "The database did not answer in time. The visit may not have been counted; retrying may count it twice."
    )
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("batch_get_item", "/counts/a"), ("batch_get_item", "/counts"), ("describe_table", "/")],
)
@pytest.mark.parametrize("error", [refused("ThrottlingException"), ReadTimeoutError(endpoint_url="x")])
def test_transient_error_of_a_read_is_a_503(method: str, path: str, error: Any, refuse: Any) -> None:
    refuse(method, error)
    answer = request("GET", path)
    assert answer.status == 503
    assert answer.headers["retry-after"]


def test_keys_left_unprocessed_are_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Any] = []

    class Busy:
        def batch_get_item(self, **wanted: Any) -> dict[str, Any]:
            requests.append(wanted["RequestItems"])
            return {"Responses": {}, "UnprocessedKeys": wanted["RequestItems"]}

    monkeypatch.setattr(view_counts, "client", Busy)
    assert request("GET", "/counts/a").status == 503
    assert len(requests) == 3
    assert requests[0] == requests[-1]


@pytest.mark.parametrize(
    ("method", "path"), [("update_item", "/tag/a"), ("batch_get_item", "/counts/a"), ("describe_table", "/")]
)
def test_other_error_is_a_500_without_internal_details(
    method: str, path: str, refuse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(method, refused("AccessDeniedException"))
    with caplog.at_level(logging.ERROR):
        answer = request("GET", path)
    assert answer.status == 500
    assert "secret" not in answer.body
    assert "Traceback" not in answer.body
    assert "a secret of the account" in caplog.text


@pytest.mark.parametrize("path", ["/tag/a", "/counts/a", "/"])
def test_log_names_a_missing_environment_variable(
    path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("TABLE_NAME")
    forget()
    assert request("GET", path).status == 500
    assert "TABLE_NAME" in caplog.text


def test_malformed_event_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    assert record_visit.handler({}, None)["statusCode"] == 500
    assert "requestContext" in caplog.text


def test_table_is_described_again_after_a_minute(tables: Any) -> None:
    calls, now = [], [0.0]

    class Described:
        def describe_table(self, **wanted: Any) -> Any:
            calls.append(wanted)
            if len(calls) == 3:
                raise refused("ThrottlingException")
            return tables.describe_table(**wanted)

    client: Any = Described()
    description = welcome.Description(client, "visits", lambda: now[0])
    for moment, made in ((0.0, 1), (59.9, 1), (60.0, 2), (119.9, 2)):
        now[0] = moment
        assert description.get()["name"] == "visits"
        assert len(calls) == made
    now[0] = 120.0
    with pytest.raises(ClientError):
        description.get()
    assert description.get()["status"] == "ACTIVE"
    assert len(calls) == 4


def test_requests_to_a_warm_process_share_a_table_description(refuse: Any) -> None:
    calls = refuse("describe_table", refused("ThrottlingException"))
    assert [request("GET", "/").status for _ in range(5)] == [503, 200, 200, 200, 200]
    assert len(calls) == 2


@pytest.mark.parametrize("path", ["/tag/a", "/counts/a", "/"])
def test_browser_gets_a_failure_as_a_page(path: str, refuse: Any) -> None:
    for method in ("update_item", "batch_get_item", "describe_table"):
        refuse(method, refused("AccessDeniedException"), *[refused("ThrottlingException")] * 9)
    failed, busy = (request("GET", path, {"Accept": "text/html"}) for _ in range(2))
    assert (failed.status, failed.type) == (500, "text/html")
    assert (busy.status, busy.type, busy.headers["retry-after"]) == (503, "text/html", "1")
    assert "secret" not in failed.body + busy.body
