"""Options that several commands have, and the types that check their values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

Command = TypeVar("Command", bound=Callable[..., Any])
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,255}}$){_LABEL}(\.{_LABEL})*|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)


class WholeNumber(click.ParamType[int]):
    """A whole number within limits; `meaning` says what it is, as in "a valid port"."""

    def __init__(self, meaning: str, minimum: int, maximum: int | None = None) -> None:
        self.name = "number"
        self._meaning = meaning
        self._minimum = minimum
        self._maximum = 999_999_999 if maximum is None else maximum
        self._allowed = f"{minimum} or more" if maximum is None else f"{minimum} to {maximum}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; fail with the value and what is allowed."""
        if re.fullmatch("[0-9]{1,9}", str(value)) and self._minimum <= int(value) <= self._maximum:
            return int(value)
        raise click.BadParameter(f"{value!r} is not {self._meaning}; allowed: {self._allowed}", ctx, param)


class Url(click.ParamType[str]):
    """The address of an HTTP server."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address; fail if it is not one."""
        try:
            parts = urlsplit(str(value))
            valid = (
                parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0
            )
        except ValueError:
            valid = None
        if valid:
            return str(value)
        raise click.BadParameter(f"{value!r} is not a URL; allowed: http:// or https:// and a host", ctx, param)


def aws_options(command: Command) -> Command:
    """Add `--region` and `--endpoint-url`, the arguments of `aws.client`."""
    for option in (
        click.option("--endpoint-url", type=Url(), help="A local cloud's endpointUrl. Default: AWS itself."),
        click.option("--region", help="The tables' region. Default: as the AWS SDK finds it."),
    ):
        command = option(command)
    return command


def table_options(command: Command) -> Command:
    """Add `--table` and `--ledger`."""
    for option in (
        click.option("--ledger", required=True, help="The stack output ledgerTableName."),
        click.option("--table", required=True, help="The stack output tableName."),
    ):
        command = option(command)
    return command
