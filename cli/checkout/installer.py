"""Which settings pip and uv get, and why an installation failed.

Runs in the system's Python, before anything is installed. pip and uv read settings from many places, and some of these
install into another folder or for another platform. Only settings that say how to reach the packages are kept: indexes,
proxies, certificates, credentials, caches and timeouts.
"""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PIP_SETTINGS = frozenset(
    {
        "cache-dir", "cert", "client-cert", "default-timeout", "extra-index-url", "find-links", "index-url",
        "keyring-provider", "no-cache-dir", "no-index", "proxy", "pypi-url", "resume-retries", "retries", "timeout",
        "trusted-host", "use-deprecated", "use-feature",
    }
)  # fmt: skip
"""The settings of pip that are kept; of the features, only `CERTIFICATE_FEATURES`."""

CERTIFICATE_FEATURES = frozenset({"truststore", "legacy-certs"})

UV_SETTINGS = frozenset(
    {
        "allow-insecure-host", "cache-dir", "credentials-dir", "default-index", "extra-index-url", "find-links",
        "https-proxy", "index", "insecure-host", "keyring-provider", "link-mode", "native-tls", "no-cache", "no-index",
        "no-proxy", "offline", "preview-features", "request-timeout", "system-certs",
    }
)  # fmt: skip
"""The settings of uv that are kept, in addition to those that begin with one of `UV_PREFIXES`."""

UV_PREFIXES = ("azure-", "concurrent-", "gcs-", "http-", "index-", "s3-")

Run = Callable[[dict[str, str]], tuple[int, str]]
"""Runs a command in an environment, and returns its exit status and its output."""


class SettingsError(Exception):
    """The settings of pip or uv cannot be read; the message is a sentence for the user."""


def installer_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with only those variables of pip and uv that are kept."""
    kept = {}
    for name, value in given.items():
        program, separator, rest = name.upper().partition("_")
        setting = _setting(rest)
        if not separator or program not in ("PIP", "UV") or (program == "UV" and _is_kept_by_uv(setting)):
            kept[name] = value
        elif program == "PIP" and setting in PIP_SETTINGS and (filtered := _filter_features(setting, value)):
            kept[name] = filtered
    return kept


def pip_environment(given: Mapping[str, str], list_settings: Run) -> dict[str, str]:
    """Return the environment for pip: it reads no files, and the kept settings of the user's files are variables.

    `list_settings` runs `pip config list`. Raises SettingsError if pip cannot read its files.
    """
    variables = installer_environment(given)
    files = {name: value for name, value in given.items() if name.upper() == "PIP_CONFIG_FILE"}
    status, output = list_settings({**variables, **files})
    if status:
        raise SettingsError(f"pip cannot read its settings: {first_error(output)}")
    present = {_setting(name.partition("_")[2]) for name in variables if name.upper().startswith("PIP_")}
    for setting, value in _read_pip_settings(output).items():
        if setting not in present:
            variables[f"PIP_{setting.upper().replace('-', '_')}"] = value
    return {**variables, "PIP_CONFIG_FILE": os.devnull}


def uv_configuration(given: Mapping[str, str], folder: Path) -> str:
    """Return a configuration file for uv, with the kept settings of the files that it would read in `folder`.

    Raises SettingsError if one of them cannot be read.
    """
    merged: dict[str, Any] = {}
    for path in _uv_files(given, folder):
        table = _absolute(_read_uv_file(path), path.parent)
        for setting, value in {**table, **table.get("pip", {})}.items():
            if not _is_kept_by_uv(setting):
                continue
            # As in uv, the first file wins, and lists are joined.
            merged[setting] = (
                [*merged.get(setting, []), *value] if isinstance(value, list) else merged.get(setting, value)
            )
    return "".join(f"{setting} = {_toml(value)}\n" for setting, value in merged.items())


def explain(output: str, *, by_uv: bool) -> str | None:
    """Return why an installer could not get the packages, and the remedy; None if it failed for another reason."""
    for signs, for_pip, for_uv in _FAILURES:
        if found := re.search(signs, output, re.IGNORECASE):
            return (for_uv if by_uv else for_pip).format(*found.groups())
    return None


def first_error(output: str) -> str:
    """Return the first line that is an error, or the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no message"]
    return next((line for line in lines if line.lower().startswith("error")), lines[-1])


# In this order: after an untrusted certificate, for example, both programs also report that they found no packages.
_FAILURES = (
    (
        r"certificate (?:bundle|file), invalid path: (\S+)",
        "{0} does not exist: correct PIP_CERT, PIP_CLIENT_CERT, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE",
        "{0} does not exist: correct SSL_CERT_FILE or SSL_CLIENT_CERT",
    ),
    (
        "WRONG_VERSION_NUMBER|corrupt message of type",
        "the package index or the proxy does not use TLS: check https:// in PIP_INDEX_URL and HTTPS_PROXY",
        "the package index or the proxy does not use TLS: check https:// in UV_DEFAULT_INDEX and HTTPS_PROXY",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED|confirming the ssl certificate|invalid peer certificate|No CA certificates",
        "the package index's certificate is not trusted: set PIP_CERT to a file with your organization's CA "
        "certificate",
        "the package index's certificate is not trusted: set SSL_CERT_FILE to a file with your organization's CA "
        "certificate, or UV_SYSTEM_CERTS=true (in older versions UV_NATIVE_TLS=true) to trust those of the system",
    ),
    (
        "ProxyError|proxy connection error|tunnel error|Tunnel connection failed|Proxy Authentication",
        "the proxy does not work: check PIP_PROXY and HTTPS_PROXY, and the password in them",
        "the proxy does not work: check HTTPS_PROXY and ALL_PROXY, and the password in them",
    ),
    (
        "(401|403) (?:Client Error|Unauthorized|Forbidden)",
        "the package index answers {0}: check PIP_INDEX_URL and its credentials",
        "the package index answers {0}: check UV_DEFAULT_INDEX and its credentials",
    ),
    (
        "Ignoring indexes|index lookups were disabled|not found in the provided package locations",
        "package indexes are switched off: unset PIP_NO_INDEX, or set PIP_FIND_LINKS to a folder with every package",
        "package indexes are switched off: remove no-index, or set UV_FIND_LINKS to a folder with every package",
    ),
    (
        "network was disabled|Network connectivity is disabled",
        "the network is switched off",
        "the network is switched off: unset UV_OFFLINE",
    ),
    (
        "NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Failed to establish|connection error"
        "|error sending request|dns error|tcp connect error|Connection (?:refused|reset)|Network is unreachable",
        "is there a network?",
        "is there a network?",
    ),
)


def _setting(name: str) -> str:
    return name.lower().replace("_", "-")


def _is_kept_by_uv(setting: str) -> bool:
    return setting in UV_SETTINGS or setting.startswith(UV_PREFIXES)


def _filter_features(setting: str, value: str) -> str:
    if setting not in ("use-feature", "use-deprecated"):
        return value
    return " ".join(feature for feature in value.split() if feature in CERTIFICATE_FEATURES)


def _read_pip_settings(listed: str) -> dict[str, str]:
    """Read what `pip config list` printed: a line like `install.timeout='60'` for each setting."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for line in listed.splitlines():
        name, _, shown = line.partition("=")
        section, _, setting = name.partition(".")
        if section in found and setting in PIP_SETTINGS:
            with suppress(ValueError, SyntaxError):
                # Lists have a line for each value in files, and spaces between them in variables.
                value = _filter_features(setting, " ".join(str(ast.literal_eval(shown)).split("\n")).strip())
                found[section].update({setting: value} if value else {})
    return {**found["global"], **found["install"]}


def _uv_files(given: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """Find the files that uv would read: of the project, of the user, and of the machine."""
    if given.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes", "on", "y", "t"):
        return
    if named := given.get("UV_CONFIG_FILE"):
        yield Path(named)
        return
    for parent in (folder, *folder.parents):
        for path in (parent / "uv.toml", parent / "pyproject.toml"):
            if path.is_file() and (path.name == "uv.toml" or _read_uv_file(path)):
                yield path
                break
        else:
            continue
        break
    home = Path(given.get("HOME") or Path.home())
    user = Path(given.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    folders = [Path(part) for part in (given.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":") if part]
    machine = [*(part / "uv" / "uv.toml" for part in folders), Path("/etc/uv/uv.toml")]
    for candidates in ([user], machine):
        yield from [path for path in candidates if path.is_file()][:1]


def _read_uv_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"uv's settings in {path} cannot be read: {error}") from None
    return dict(table.get("tool", {}).get("uv", {})) if path.name == "pyproject.toml" else table


def _absolute(value: Any, folder: Path) -> Any:
    """Return the value with paths that do not depend on the file that names them."""
    if isinstance(value, dict):
        return {name: _absolute(part, folder) for name, part in value.items()}
    if isinstance(value, list):
        return [_absolute(part, folder) for part in value]
    return str(folder / value) if isinstance(value, str) and value.startswith(("./", "../")) else value


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
