"""Options that several commands have, and the types that check their values."""

from __future__ import annotations

import functools
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

import click

from .api import TOKEN_VARIABLE
from .deployment import (
    FUNCTION_KEYS,
    FUNCTIONS,
    OPTIONS,
    Deployment,
    DeploymentError,
    deployment,
    read_file,
    read_local,
    read_stack,
)

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
        click.option("--region", help="The deployment's region. Default: its table's, or as the AWS SDK finds it."),
    ):
        command = option(command)
    return command


class NameAndValue(click.ParamType[tuple[str, str]]):
    """Two texts, as in `name=value`; the first one of `names`, if they are given."""

    name = "name=value"

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return the two; fail if one of them is missing."""
        if isinstance(value, tuple):
            return value
        key, _, text = str(value).partition("=")
        if not (key and text):
            raise click.BadParameter(f"{value!r} is not a name and a value; allowed: NAME=VALUE", ctx, param)
        if self._names and key not in self._names:
            raise click.BadParameter(f"{key!r} is unknown; allowed: {', '.join(self._names)}", ctx, param)
        return key, text


class Program(click.ParamType[str]):
    """A program that can be started: its path, or its name on PATH."""

    name = "program"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it as it is; fail if there is no such program."""
        if shutil.which(str(value)):
            return str(value)
        allowed = "the path of a program, or its name on PATH"
        raise click.BadParameter(f"{value!r} cannot be started; allowed: {allowed}", ctx, param)


class Duration(click.ParamType[float]):
    """A time span, in seconds: a whole number with a unit, such as `90s`, `15m`, `2h` or `1d`."""

    name = "duration"
    _UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; fail if the text is not such a span."""
        if isinstance(value, float):
            return value
        if found := re.fullmatch(r"([0-9]{1,6})([smhd])", str(value)):
            return float(int(found[1]) * self._UNITS[found[2]])
        allowed = "a whole number and s, m, h or d, such as 15m"
        raise click.BadParameter(f"{value!r} is not a time span; allowed: {allowed}", ctx, param)


class Token(click.ParamType[str]):
    """A bearer token (RFC 6750). Errors do not show it."""

    name = "token"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the token; fail if it cannot be one."""
        if re.fullmatch(r"[A-Za-z0-9._~+/-]{1,8192}=*", str(value)):
            return str(value)
        allowed = "letters, digits and any of -._~+/, without 'Bearer'"
        raise click.BadParameter(f"the value is not a bearer token; allowed: {allowed}", ctx, param)


token_option = click.option(
    "--token",
    type=Token(),
    envvar=TOKEN_VARIABLE,
    metavar="TOKEN",
    help=f"The token for routes that require one (JWT). Prefer the environment variable {TOKEN_VARIABLE}: other "
    "users can read a process's arguments.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON; never ask anything.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")

_GIVEN: Mapping[str, tuple[Any, ...]] = {
    "tableName": ("table", "NAME"),
    "idempotencyTableName": ("idempotency_table", "NAME"),
    "apiEndpoint": ("api_endpoint", "URL"),
    "eventSourceMappingId": ("mapping", "UUID"),
    "deadLetterQueueUrl": ("queue", "URL"),
    FUNCTIONS: ("function_name", "KEY=NAME"),
}


def deployment_options(*needs: str, uses: Sequence[str] = ()) -> Callable[[Command], Command]:
    """Add the options that say which deployment a command works on; the command gets it as `deployment`.

    `needs` are the outputs that it cannot do without, `uses` those that it can; each has an option of its own, too.
    """
    given = {name.partition(".")[0]: None for name in (*needs, *uses)}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(
            *,
            stack: str | None,
            outputs: Path | None,
            local: bool,
            region: str | None,
            endpoint_url: str | None,
            **more: Any,
        ) -> Any:
            own = {name: more.pop(_GIVEN[name][0]) for name in given}
            found = _find(needs, own, stack=stack, outputs=outputs, local=local, where=(region, endpoint_url))
            return command(deployment=found, **more)

        result: Any = aws_options(cast("Command", wrapped))
        for name in reversed(given):
            parameter, metavar = _GIVEN[name]
            many = name == FUNCTIONS
            result = click.option(
                OPTIONS[name],
                parameter,
                metavar=metavar,
                multiple=many,
                type=NameAndValue(FUNCTION_KEYS) if many else Url() if metavar == "URL" else str,
                help=f"The stack output {name}{', one function each' if many else ''}.",
            )(result)
        for option in (
            click.option("--local", is_flag=True, help="The local cloud that runs on this machine."),
            click.option(
                "--outputs",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="A deployed stack, by what `pulumi stack output --json` printed; - reads standard input.",
            ),
            click.option("--stack", metavar="NAME", help="A deployed stack, which the Pulumi CLI reads."),
        ):
            result = option(result)
        return cast("Command", result)

    return decorate


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask before something that cannot be undone, unless `yes`. Nobody is asked with --json or without a terminal."""
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise click.UsageError(f"{question} Confirm with --yes.")
    try:
        confirmed = click.confirm(question, err=True)
    except click.Abort:
        confirmed = False
        click.echo(err=True)
    if not confirmed:
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(1)


def _find(
    needs: Sequence[str],
    given: Mapping[str, Any],
    *,
    stack: str | None,
    outputs: Path | None,
    local: bool,
    where: tuple[str | None, str | None],
) -> Deployment:
    sources = [name for name, one in (("--stack", stack), ("--outputs", outputs), ("--local", local)) if one]
    if len(sources) > 1:
        raise click.UsageError(f"{' and '.join(sources)} name different deployments; give one of them.")
    own = {name: value for name, value in given.items() if value}
    if FUNCTIONS in own:
        own[FUNCTIONS] = dict(own[FUNCTIONS])
    if not sources:
        if not own:
            raise click.UsageError("Which deployment? Give --stack NAME, --outputs FILE or --local.")
        context = click.get_current_context()
        for name in needs:
            if name not in own and name in _GIVEN:
                wanted = next(one for one in context.command.params if one.name == _GIVEN[name][0])
                raise click.MissingParameter(ctx=context, param=wanted)
    region, endpoint_url = where
    try:
        found: Mapping[str, Any] = {}
        if stack:
            found = read_stack(stack)
        elif outputs:
            found = read_file(outputs)
        elif local:
            found = read_local(endpoint_url)
        if FUNCTIONS in own:
            own[FUNCTIONS] = {**found.get(FUNCTIONS, {}), **own[FUNCTIONS]}
        return deployment(
            {**found, **own},
            needs=needs,
            region=region,
            endpoint_url=endpoint_url,
            is_local=local,
            source=f"stack {stack}" if stack else str(outputs or ""),
        )
    except DeploymentError as error:
        raise click.ClickException(str(error)) from None
