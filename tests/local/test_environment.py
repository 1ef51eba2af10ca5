"""No child process learns how to reach a real account."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.environment import clean, with_credentials
from local.site import Clients

USERS = {
    "PATH": "/bin",
    "HOME": "/home/u",
    "AWS_PROFILE": "work",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://real",
    "PULUMI_ACCESS_TOKEN": "pul-real",
    "PYTHONPATH": "/somewhere",
    "HTTPS_PROXY": "http://proxy",
    "http_proxy": "http://proxy",
    "VIRTUAL_ENV": "/venv",
}


def test_what_leads_to_an_account_or_past_the_emulator_is_dropped() -> None:
    assert clean(USERS) == {"PATH": "/bin", "HOME": "/home/u"}


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_no_proxy_reaches_a_child_process(case: Callable[[str], str]) -> None:
    names = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "ftp_proxy", "no_proxy", "no_grpc_proxy")
    proxies = dict.fromkeys(map(case, (*names, "grpc_address_http_proxy_enabled_addresses")), "127.0.0.1:9")
    assert clean({**proxies, "PROXY_OF_MINE": "1"}, keep_python=True) == {"PROXY_OF_MINE": "1"}


def test_a_program_keeps_pythons_own_settings() -> None:
    assert clean(USERS, keep_python=True) == {"PATH": "/bin", "HOME": "/home/u", "PYTHONPATH": "/somewhere"}


def test_clients_are_led_to_the_emulator_alone() -> None:
    environment = with_credentials(clean(USERS), endpoint="http://127.0.0.1:1", region="eu-west-1")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == environment["AWS_CONFIG_FILE"] == "/dev/null"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"


def test_own_clients_read_no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile work]\nendpoint_url = https://real\nregion = mars", encoding="utf-8")
    for name, value in {**USERS, "AWS_CONFIG_FILE": str(tmp_path / "config")}.items():
        monkeypatch.setenv(name, value)
    client = Clients("http://127.0.0.1:1").get("dynamodb", "eu-west-1")
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client.meta.region_name == "eu-west-1"
    assert client._request_signer._credentials.access_key == "test"
