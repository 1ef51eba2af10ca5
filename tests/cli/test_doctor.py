"""What the doctor says of each thing; tests/e2e/test_status.py examines real credentials."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from botocore import exceptions  # type: ignore[import-untyped]

from cli.commands.doctor import _aws, check_plugin, check_pulumi, check_python, explain_request
from cli.main import main


def test_an_old_python_has_a_remedy() -> None:
    assert check_python((3, 11, 0)).remedy == ""
    assert check_python((3, 10, 9)).remedy == "install Python 3.11 or later"


@pytest.mark.parametrize(
    ("said", "remedy"),
    [("v3.272.0\n", ""), ("3.150.0", ""), ("v3.99.0", "upgrade to 3.150 or later"), ("", "install it again")],
)
def test_the_pulumi_cli_is_judged_by_its_version(said: str, remedy: str) -> None:
    found = check_pulumi(said).remedy
    assert found.startswith(remedy)
    assert bool(found) == bool(remedy)


def test_the_plugin_has_the_version_of_the_sdk() -> None:
    listed = json.dumps([{"name": "aws", "version": "7.51.1"}, {"name": "random", "version": "4.0.0"}])
    assert check_plugin(listed, "7.51.1").remedy == ""
    assert check_plugin(listed, "7.60.0").remedy.startswith("pulumi plugin install resource aws v7.60.0")
    assert check_plugin("[]", "7.60.0").found == "none"
    assert "does not work" in check_plugin("nonsense", "7.60.0").remedy


def test_a_machine_without_anything_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "Pulumi CLI: install it, https://www.pulumi.com/docs/install/" in out
    assert "AWS region: set AWS_REGION" in out
    # As the message says; the AWS CLI and Pulumi let it come before AWS_DEFAULT_REGION.
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert main(["doctor"]) == 1
    assert re.search(r"^AWS region +ok +eu-west-1$", capsys.readouterr().out, re.MULTILINE)
    monkeypatch.delenv("AWS_REGION")
    assert main(["doctor", "--region", "eu-west-1"]) == 1
    assert "AWS credentials: sign in (aws sso login), or set AWS_PROFILE" in capsys.readouterr().out
    program = tmp_path / "pulumi"
    listed = '[{"name": "aws", "version": "0.1.0"}]'
    program.write_text(f"#!/bin/sh\ncase $1 in version) echo v3.272.0;; plugin) echo '{listed}';; *) exit 1;; esac\n")
    program.chmod(0o755)
    main(["doctor", "--region", "eu-west-1", "--json"])
    findings = {one["subject"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert (findings["Pulumi CLI"]["remedy"], findings["Pulumi backend"]["remedy"]) == ("", "pulumi login")
    assert findings["AWS plugin"]["remedy"].startswith("pulumi plugin install resource aws v")


@pytest.mark.parametrize(
    ("settings", "subject", "remedy"),
    [
        ({"AWS_PROFILE": "missing"}, "AWS profile", "set AWS_PROFILE to a profile"),
        ({"AWS_CONFIG_FILE": "broken"}, "AWS settings", "correct the file"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "broken"}, "AWS settings", "correct the file"),
        ({"AWS_REGION": "eu-west-1", "AWS_RETRY_MODE": "x"}, "AWS settings", "correct the environment variable"),
        ({"AWS_REGION": "eu-west-1", "AWS_MAX_ATTEMPTS": "x"}, "AWS settings", "correct the environment variable"),
        ({"AWS_REGION": "not a region"}, "AWS region", "set AWS_REGION"),
        ({}, "AWS region", "set AWS_REGION"),
        ({"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a"}, "AWS credentials", "sign in"),
        ({"AWS_REGION": "eu-west-1"}, "AWS credentials", "sign in"),
    ],
)
def test_doctor_names_the_setting_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], subject: str, remedy: str
) -> None:
    (tmp_path / "broken").write_text("[broken")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in settings.items():
        monkeypatch.setenv(name, str(tmp_path / "broken") if value == "broken" else value)
    wrong = [finding for finding in _aws(None, None) if finding.remedy]
    assert [finding.subject for finding in wrong] == [subject]
    assert wrong[0].remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (exceptions.SSLError(endpoint_url="https://a", error="certificate verify failed"), "set AWS_CA_BUNDLE"),
        (exceptions.ProxyConnectionError(proxy_url="http://p"), "check the network, HTTPS_PROXY"),
        (exceptions.EndpointConnectionError(endpoint_url="https://a"), "check the network, HTTPS_PROXY"),
        (exceptions.HTTPClientError(error="not a valid host"), "check the network, HTTPS_PROXY"),
        (FileNotFoundError(2, "No such file or directory", "/nowhere/token"), "sign in"),
    ],
)
def test_doctor_tells_connections_from_credentials(error: Exception, remedy: str) -> None:
    assert explain_request(error).remedy.startswith(remedy)
