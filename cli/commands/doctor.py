"""`counter doctor`: what this machine needs to deploy and operate, what is wrong with it, and what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import click

from ..options import aws_options, json_option
from ..show import BAD, GOOD, columns

MIN_PYTHON = (3, 11)
MIN_PULUMI = (3, 150)
_SECONDS = 60.0
_SIGN_IN = "sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class Finding(NamedTuple):
    """One thing that was looked at: what was found, and if that is wrong, the remedy."""

    subject: str
    found: str
    remedy: str = ""


@click.command("doctor")
@aws_options
@json_option
def command(*, region: str | None, endpoint_url: str | None, as_json: bool) -> int:
    """Check this machine: what is wrong, and what to do.

    Looks at Python, its packages, the Pulumi CLI, its AWS plugin, and your AWS settings, region and credentials. The
    exit status is 1 if anything is wrong.
    """
    from ..console import Console  # noqa: PLC0415 - takes a while to import, and `--help` does without

    output, progress = Console(sys.stdout), Console(sys.stderr)
    findings: list[Finding] = []
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: iter([check_python(sys.version_info[:3])]),
        _packages,
        _pulumi,
        lambda: _aws(region, endpoint_url),
    )
    for check in checks:
        for finding in check():
            progress.progress("Checking", detail=finding.subject)
            findings.append(finding)
    progress.end_progress()
    wrong = [finding for finding in findings if finding.remedy]
    if as_json:
        data = [{"subject": one.subject, "found": one.found, "remedy": one.remedy} for one in findings]
        output.json({"findings": data, "healthy": not wrong})
        return 1 if wrong else 0
    states = [
        (finding.subject, ("wrong", BAD) if finding.remedy else ("ok", GOOD), finding.found) for finding in findings
    ]
    columns(output, ("what", "state", "found"), states)
    output.line()
    for finding in wrong:
        output.line(f"{finding.subject}: {finding.remedy}")
    if not wrong:
        output.line("Nothing is wrong.")
    return 1 if wrong else 0


def check_python(found: tuple[int, ...]) -> Finding:
    """Judge a version of Python. Pure."""
    shown = ".".join(map(str, found))
    wanted = ".".join(map(str, MIN_PYTHON))
    return Finding("Python", shown, "" if found >= MIN_PYTHON else f"install Python {wanted} or later")


def check_pulumi(said: str) -> Finding:
    """Judge what `pulumi version` said. Pure."""
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", said.strip())
    wanted = ".".join(map(str, MIN_PULUMI))
    if not numbers:
        return Finding("Pulumi CLI", said.strip()[:80] or "no version", "install it again; it does not say its version")
    recent = tuple(map(int, numbers.groups()))[:2] >= MIN_PULUMI
    return Finding("Pulumi CLI", numbers[0], "" if recent else f"upgrade to {wanted} or later")


def check_plugin(said: str, wanted: str) -> Finding:
    """Judge what `pulumi plugin ls --json` said: the AWS plugin of the SDK's version should be there. Pure."""
    try:
        versions = [str(one.get("version")) for one in json.loads(said) if one.get("name") == "aws"]
    except (ValueError, AttributeError, TypeError):
        return Finding("AWS plugin", "unknown", "`pulumi plugin ls --json` does not work; install the Pulumi CLI again")
    if wanted in versions:
        return Finding("AWS plugin", wanted)
    shown = ", ".join(versions) or "none"
    return Finding("AWS plugin", shown, f"pulumi plugin install resource aws v{wanted}; `pulumi up` does so by itself")


def _packages() -> Iterator[Finding]:
    for package in ("pulumi", "pulumi-aws", "boto3"):
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, "not installed", f"pip install {package}")


def _pulumi() -> Iterator[Finding]:
    if not shutil.which("pulumi"):
        remedy = "install it, https://www.pulumi.com/docs/install/; without it nothing can be deployed"
        yield Finding("Pulumi CLI", "not installed", remedy)
        return
    yield check_pulumi(_run("pulumi", "version"))
    try:
        wanted = version("pulumi-aws")
    except PackageNotFoundError:
        return
    yield check_plugin(_run("pulumi", "plugin", "ls", "--json"), wanted)
    account = _run("pulumi", "whoami", "--non-interactive").strip()
    yield Finding("Pulumi backend", account or "not logged in", "" if account else "pulumi login")


def _aws(region: str | None, endpoint_url: str | None) -> Iterator[Finding]:
    from .. import aws  # noqa: PLC0415

    try:
        # Unlike other services, STS works without a region.
        found = aws.client("dynamodb", region=region, endpoint_url=endpoint_url).meta.region_name
        client = aws.client("sts", region=found, endpoint_url=endpoint_url)
    except aws.ERRORS as error:
        yield explain_settings(error)
        return
    yield Finding("AWS region", str(found))
    try:
        caller = client.get_caller_identity()
    except (*aws.ERRORS, OSError, ValueError) as error:
        yield explain_request(error)
        return
    yield Finding("AWS credentials", f"{caller['Arn']} in account {caller['Account']}")


def explain_settings(error: Exception) -> Finding:
    """Explain why no client could be made. Pure."""
    from botocore import exceptions  # type: ignore[import-untyped]  # noqa: PLC0415 - takes a while to import

    match error:
        case exceptions.NoRegionError() | exceptions.InvalidRegionError():
            subject, remedy = "AWS region", "set AWS_REGION, or `region` in your AWS profile, or give --region"
        case exceptions.ProfileNotFound():
            subject, remedy = "AWS profile", "set AWS_PROFILE to a profile that `aws configure list-profiles` shows"
        case exceptions.ConfigParseError():
            subject, remedy = "AWS settings", "correct the file, or set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE"
        case (
            exceptions.CredentialRetrievalError()
            | exceptions.PartialCredentialsError()
            | exceptions.SSOError()
            | exceptions.TokenRetrievalError()
        ):
            subject, remedy = "AWS credentials", _SIGN_IN
        case _:
            subject, remedy = (
                "AWS settings",
                "correct the environment variable AWS_… or the setting in your AWS profile",
            )
    return Finding(subject, str(error), remedy)


def explain_request(error: Exception) -> Finding:
    """Explain why the first request failed. Pure."""
    from botocore import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.SSLError):
        return Finding(
            "AWS connection", str(error), "set AWS_CA_BUNDLE to a file with your organization's CA certificate"
        )
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return Finding("AWS connection", str(error), "check the network, HTTPS_PROXY and AWS_CA_BUNDLE")
    return Finding("AWS credentials", str(error), _SIGN_IN)


def _run(*command: str) -> str:
    """Return what a command printed; "" if it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
