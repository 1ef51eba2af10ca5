"""Clients for a local cloud use none of the machine's AWS settings; invalid settings are readable errors elsewhere."""

import os
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]

from cli import aws
from cli.deployment import Deployment

ENDPOINT = "http://127.0.0.1:1"
INVALID = {
    "missing profile": {"AWS_PROFILE": "missing"},
    "missing default profile": {"AWS_DEFAULT_PROFILE": "missing"},
    "broken config": {"AWS_CONFIG_FILE": "broken"},
    "broken credentials": {"AWS_SHARED_CREDENTIALS_FILE": "broken"},
    "config without UTF-8": {"AWS_CONFIG_FILE": "latin-1"},
    "missing source profile": {"AWS_CONFIG_FILE": "config", "AWS_PROFILE": "role"},
    "missing program": {"AWS_CONFIG_FILE": "config", "AWS_PROFILE": "program"},
    "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"},
    "retry mode": {"AWS_RETRY_MODE": "x"},
    "attempts": {"AWS_MAX_ATTEMPTS": "x"},
    "defaults mode": {"AWS_DEFAULTS_MODE": "x"},
    "checksums": {"AWS_REQUEST_CHECKSUM_CALCULATION": "x"},
    "account mode": {"AWS_ACCOUNT_ID_ENDPOINT_MODE": "x"},
}
HARMLESS_HERE = {
    "config nowhere": {"AWS_CONFIG_FILE": "/nowhere/config", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials"},
    "certificates": {"AWS_CA_BUNDLE": "/nowhere.pem"},
    "other endpoint": {"AWS_ENDPOINT_URL": "nonsense", "AWS_ENDPOINT_URL_DYNAMODB": "nonsense"},
    "endpoint variants": {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "proxy": {"HTTP_PROXY": "::::", "HTTPS_PROXY": "::::"},
    "web identity": {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x"},
    "session token": {"AWS_SESSION_TOKEN": "left behind"},
}
CONFIG = """
[profile role]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = missing
[profile program]
credential_process = /nowhere/program
"""


@pytest.fixture(params=[*INVALID, *HARMLESS_HERE])
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Give the machine settings that cannot be used, and nothing else."""
    (tmp_path / "broken").write_text("[broken\nx")
    (tmp_path / "latin-1").write_bytes(b"[default]\nregion=\xff\n")
    (tmp_path / "config").write_text(CONFIG)
    clear(monkeypatch)
    for name, value in {**INVALID, **HARMLESS_HERE}[request.param].items():
        monkeypatch.setenv(name, str(tmp_path / value) if (tmp_path / value).exists() else value)
    return str(request.param)


def clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("AWS_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Body:
    def stream(self) -> list[bytes]:
        return [b"{}"]


def request_of(client: Any) -> Any:
    """Return the request that a call sends, which gets an empty answer."""
    sent: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, Body())

    client.meta.events.register("before-send", answer)
    client.list_tables()
    return sent[0]


def test_local_client_uses_no_machine_settings(settings: str) -> None:
    local = Deployment({}, "eu-west-1", ENDPOINT, is_local=True)
    sent = request_of(local.client("dynamodb"))
    assert sent.url == f"{ENDPOINT}/", settings
    assert "Credential=test/" in str(sent.headers["Authorization"])
    assert "X-Amz-Security-Token" not in sent.headers
    signed = aws.sign("GET", ENDPOINT, {}, region="eu-west-1", endpoint_url=ENDPOINT, as_root=True)
    assert "Credential=test/" in signed["Authorization"]


@pytest.mark.parametrize("settings", INVALID, indirect=True)
def test_invalid_settings_are_readable_errors(settings: str) -> None:
    with pytest.raises(aws.ERRORS) as caught:
        aws.client("dynamodb", region="eu-west-1", endpoint_url=None)
    assert str(caught.value), settings


def test_local_region_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear(monkeypatch)
    with pytest.raises(aws.UnknownRegionError):
        aws.client("dynamodb", region=None, endpoint_url=ENDPOINT, as_root=True)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    client = aws.client("dynamodb", region=None, endpoint_url=ENDPOINT, as_root=True)
    assert client.meta.region_name == "eu-west-1"
