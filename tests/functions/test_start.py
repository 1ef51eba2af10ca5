"""The start of a function: what it imports, when its client is created, and which data botocore reads for it."""

import json
import logging
import platform
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore.session  # type: ignore[import-untyped]
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import NoRegionError  # type: ignore[import-untyped]
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.checkout.model import operations
from components.version import VERSION
from functions.dynamodb import client as database
from functions.dynamodb import session as sessions
from functions.dynamodb.build import MODEL_BOTOCORE
from tests.functions.requests_of_model import (
    CALLS,
    CREDENTIALS,
    ENVIRONMENTS,
    PLAIN,
    environment,
    everything,
    full_loader,
    outcome,
    plain_client,
    started,
)
from tests.share import ci_only, share, times

ROOT = Path(__file__).parents[2]
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 1})
PARTITIONS = full_loader().load_data("endpoints")["partitions"]
REGIONS = [*(region for partition in PARTITIONS for region in partition["regions"]), "local", "eu-west-99", "xx-moon-1"]
SWITCH = st.sampled_from([None, "true", "false"])
URL = st.sampled_from([None, "http://127.0.0.1:1", "https://dynamodb.example.org/path", "not a URL"])


@pytest.fixture(autouse=True)
def _quick_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the runtime's own data only once."""

    def get_session() -> Any:
        session = botocore.session.get_session()
        if not session.get_config_variable("data_path"):
            session.register_component("data_loader", full_loader())
        return session

    monkeypatch.setattr(sessions, "get_session", get_session)


def reads_model() -> bool:
    """Whether a client that is created now reads model.json."""
    sessions.forget_sessions()
    return sessions._session()[1]


@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=str)
def test_model_makes_and_reads_the_same_messages(variables: dict[str, str]) -> None:
    with environment(variables):
        assert everything(sessions.create_client, CONFIG) == everything(plain_client, CONFIG)
        known = variables["AWS_DEFAULT_REGION"] != "eu-west-99" and "AWS_ACCESS_KEY_ID" in variables
        assert reads_model() == known


@settings(max_examples=times(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    region=st.sampled_from(REGIONS),
    variables=st.fixed_dictionaries(
        {
            "AWS_USE_FIPS_ENDPOINT": SWITCH,
            "AWS_USE_DUALSTACK_ENDPOINT": SWITCH,
            "AWS_ENDPOINT_URL": URL,
            "AWS_ENDPOINT_URL_DYNAMODB": URL,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": SWITCH,
            "AWS_ACCOUNT_ID": st.sampled_from([None, "123456789012"]),
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": st.sampled_from([None, "preferred", "required", "disabled"]),
            "AWS_DEFAULTS_MODE": st.sampled_from([None, "standard", "legacy", "auto"]),
        }
    ),
)
@example(region="us-gov-west-1", variables={"AWS_USE_FIPS_ENDPOINT": "true"})
@example(region="eu-west-1", variables={"AWS_USE_DUALSTACK_ENDPOINT": "true"})
def test_endpoint_settings_resolve_to_the_same_endpoint(region: str, variables: dict[str, str | None]) -> None:
    given = {name: value for name, value in variables.items() if value is not None}
    with environment({**CREDENTIALS, "AWS_DEFAULT_REGION": region, **given}):
        assert described(sessions.create_client) == described(plain_client)


def test_every_region_resolves_to_the_same_endpoint() -> None:
    for region in share(REGIONS[::3], in_ci=REGIONS):
        with environment({**CREDENTIALS, "AWS_DEFAULT_REGION": region}):
            assert described(sessions.create_client) == described(plain_client)


def described(create: Any) -> Any:
    """Return a new client's endpoint and configuration, and its first request; or the error of creating it."""
    try:
        client = create(CONFIG)
    except Exception as error:  # noqa: BLE001 - the error is what is compared
        return type(error).__name__, str(error)
    config = client.meta.config
    facts = (config.region_name, config.signature_version, config.retries, config.connect_timeout, config.user_agent)
    return client.meta.endpoint_url, client.meta.partition, facts, outcome(client, "get_item")


def test_client_is_configured_like_boto3s(monkeypatch: pytest.MonkeyPatch) -> None:
    with environment({**PLAIN, "AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "7"}):
        clients: list[Any] = [sessions.create_client(Config()), boto3.Session().client("dynamodb")]
        retries = [client.meta.config.retries for client in clients]
        assert retries[0] == retries[1]
        assert (retries[0]["mode"], retries[0]["total_max_attempts"]) == ("adaptive", 7)
        keys = [client._request_signer._credentials.get_frozen_credentials() for client in clients]
        assert keys[0] == keys[1]
        assert keys[0][:3] == tuple(CREDENTIALS.values())


def test_model_has_the_operations_of_the_client() -> None:
    assert sorted(json.loads(sessions.MODEL.read_text())["service-2"]["operations"]) == sorted(operations())
    assert ["".join(map(str.capitalize, method.split("_"))) for method in CALLS] == operations()


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AWS_DEFAULT_REGION": "xx-moon-1"}, "does not know the region xx-moon-1"),
        ({"AWS_ACCESS_KEY_ID": ""}, "credentials are not in the environment"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "credentials are not in the environment"),
        ({"AWS_DATA_PATH": "/models"}, "configured to read other data"),
    ],
)
def test_botocore_reads_its_own_data_in_other_cases(
    variables: dict[str, str], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "functions.dynamodb.session")
    with environment({**PLAIN, **variables}):
        assert not reads_model()
        assert reason in caplog.text


def test_users_models_make_botocore_read_its_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.loaders.Loader.CUSTOMER_DATA_PATH", str(tmp_path / "models"))
    with environment(PLAIN):
        assert reads_model()
        (tmp_path / "models").mkdir()
        assert not reads_model()


@pytest.mark.parametrize(
    "wanted",
    [
        ("sts", "service-2", None),
        ("sts", "endpoint-rule-set-1", None),
        ("dynamodb", "paginators-1", None),
        ("dynamodb", "service-2", "2012-08-10"),
    ],
)
def test_model_replaces_only_dynamodbs_newest_data(wanted: tuple[str, str, str | None]) -> None:
    loader, own = sessions.ModelLoader(json.loads(sessions.MODEL.read_text())), full_loader()
    assert loader.load_service_model(*wanted) == own.load_service_model(*wanted)
    assert loader.load_service_model("dynamodb", "service-2") != own.load_service_model("dynamodb", "service-2")
    _, path = loader.load_data_with_path("partitions")
    assert loader.is_builtin_path(path) is own.is_builtin_path(path) is True
    assert loader.is_builtin_path("/models/partitions.json") is False


def test_next_client_has_the_current_credentials() -> None:
    for variables in (PLAIN, {**PLAIN, "AWS_DEFAULT_REGION": "xx-moon-1"}):
        for key in ("FIRST", "SECOND"):
            with environment({**variables, "AWS_ACCESS_KEY_ID": key}):
                client: Any = sessions.create_client(CONFIG)
                assert client._request_signer._credentials.access_key == key


@pytest.mark.parametrize("version", ["1.37.38", "2.0.0", "1.99", "1.43.106.dev0", "unknown"])
def test_another_botocore_reads_its_own_data(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore, "__version__", version)
    with environment(PLAIN):
        assert not reads_model()
        assert outcome(sessions.create_client(CONFIG), "get_item") == outcome(plain_client(CONFIG), "get_item")


@pytest.mark.parametrize("version", [sessions.OLDEST_BOTOCORE, "1.38.10", MODEL_BOTOCORE])
def test_known_botocore_reads_the_model(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore, "__version__", version)
    with environment(PLAIN):
        assert reads_model()


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "altered"])
def test_damaged_model_is_not_read(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "functions.dynamodb.session")
    raw = sessions.MODEL.read_bytes()
    damaged = {"empty": b"", "truncated": raw[:-100], "altered": raw.replace(b"dynamodb", b"dynamodc", 1)}
    file = tmp_path / "model.json"
    if damage in damaged:
        file.write_bytes(damaged[damage])
    monkeypatch.setattr(sessions, "MODEL", file)
    with environment(PLAIN):
        assert outcome(sessions.create_client(CONFIG), "get_item") == outcome(plain_client(CONFIG), "get_item")
        assert not reads_model()
    assert "cannot be read" in caplog.text if damage == "missing" else "damaged" in caplog.text


def test_botocore_reads_its_own_data_if_it_cannot_use_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = json.loads(sessions.MODEL.read_bytes())
    del model["service-2"]["metadata"]
    file = tmp_path / "model.json"
    file.write_text(json.dumps(model))
    monkeypatch.setattr(sessions, "MODEL", file)
    monkeypatch.setattr(sessions, "MODEL_CHECKSUM", zlib.crc32(file.read_bytes()))
    with environment(PLAIN):
        assert reads_model()
        assert outcome(sessions.create_client(CONFIG), "get_item") == outcome(plain_client(CONFIG), "get_item")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.exc_info


def test_configuration_error_is_raised_unchanged(caplog: pytest.LogCaptureFixture) -> None:
    with environment(CREDENTIALS), pytest.raises(NoRegionError):
        sessions.create_client(CONFIG)
    assert "model.json" not in caplog.text


@ci_only("downloads three versions of botocore")
@pytest.mark.parametrize("version", [sessions.OLDEST_BOTOCORE, "1.40.0", "1.42.1"])
def test_older_versions_make_the_same_requests_with_the_model(version: str, tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--no-compile",
    ]
    subprocess.run([*pip, "--target", str(tmp_path), f"botocore=={version}"], check=True, timeout=200)
    script = Path(__file__).with_name("requests_of_model.py")
    shown = started(str(script), PYTHONPATH=str(tmp_path))
    assert json.loads(shown) == {"botocore": version, "different": [], "read": 9}


def test_user_agent_names_project_and_versions() -> None:
    with environment(PLAIN):
        database.client.cache_clear()
        [(_, _, headers, _)], _ = outcome(database.client(), "get_item")
        database.client.cache_clear()
    versions = (VERSION, botocore.__version__, platform.python_version())
    # Powertools, which the tests of the benchmarks import, names itself in every client of its process.
    words = [word for word in headers["user-agent"].split() if not word.startswith("PT")]
    assert " ".join(words) == "stream-triggered-counter/{} botocore/{} python/{}".format(*versions)
    assert re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+ ?)+", headers["user-agent"])
