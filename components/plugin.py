"""The components as a provider plugin, which is how programs in other languages than Python use them."""

import asyncio
import inspect
import json
import re
import sys
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.analyzer import ComponentDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.util import camel_case
from pulumi.provider.server import ComponentInitError

from .checks import ArgumentError
from .received import FIELDS, read_inputs
from .stream_consumer import StreamConsumer
from .stream_triggered_counter import StreamTriggeredCounter
from .version import VERSION

NAME = "stream-triggered-counter"
COMPONENTS: list[type[pulumi.ComponentResource]] = [StreamTriggeredCounter, StreamConsumer]


class CounterProvider(ComponentProvider):
    """The SDK's component host, with an error for every input that the SDK's own host ignores.

    The SDK's host drops inputs that it does not know, and treats a group of arguments that is not a mapping as empty.
    It also reports an invalid argument with a stack trace and the Python name of the field.
    """

    def __init__(self) -> None:
        super().__init__(COMPONENTS, NAME, version=VERSION)
        self.document: dict[str, Any] = _tidy(json.loads(self.schema or "{}"))
        self.schema = json.dumps(self.document)

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Construct a component. An invalid argument is reported in one sentence that names the field."""
        try:
            result = super().construct(name, resource_type, inputs, options)
        except ArgumentError as error:
            raise _refusal(f"{error}") from error
        except ComponentInitError as error:
            if isinstance(error.inner, ArgumentError):
                raise _refusal(_in_camel_case(f"{error.inner}")) from error.inner
            raise
        asyncio.get_running_loop().set_exception_handler(_ignore_consequences)
        return ConstructResult(_urn_after_checks(result), result.state)

    def map_inputs(self, inputs: pulumi.Inputs, component_def: ComponentDefinition) -> pulumi.Inputs:
        """Read the inputs strictly, and give them their Python names."""
        return read_inputs(self.document, f"{NAME}:index:{component_def.name}", inputs)


async def _urn_after_checks(result: ConstructResult) -> Any:
    """Return the component's URN; raise the refusal of an argument that could be checked only once it was known."""
    try:
        for value in result.state.values():
            await pulumi.Output.from_input(value).future()
    except Exception as error:
        if refused := _refused_argument(error):
            raise _refusal(_in_camel_case(f"{refused}")) from refused
        raise
    return await pulumi.Output.from_input(result.urn).future()


def _refused_argument(error: BaseException | None) -> ArgumentError | None:
    """Find the refusal that caused an error: the SDK wraps it once for each resource on the way."""
    while error:
        if isinstance(error, ArgumentError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _ignore_consequences(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # A refusal fails every resource that depends on it, and asyncio would print a page about each.
    if not _refused_argument(context.get("exception")):
        loop.default_exception_handler(context)


def serve() -> None:
    """Serve the provider to the engine whose address is the first argument, until it ends the process."""
    main(CounterProvider(), sys.argv[1:])


def _refusal(sentence: str) -> pulumi.InputPropertiesError:
    # With details for the property the engine would repeat the sentence; without a list the SDK fails.
    return pulumi.InputPropertiesError(sentence, [])


def _tidy(value: Any) -> Any:
    """Take the source's line breaks and Python's spelling of field names out of a schema's descriptions."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    described = {key: _tidy(item) for key, item in value.items()}
    if isinstance(text := value.get("description"), str):
        paragraphs = inspect.cleandoc(text).split("\n\n")
        joined = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        described["description"] = re.sub(r"`[a-z_.]+`", lambda name: _in_camel_case(name[0]), joined)
    return described


def _in_camel_case(text: str) -> str:
    # Of the arguments alone: a table may be called my_table.
    return re.sub(r"\b[a-z]+(_[a-z]+)+\b", lambda name: camel_case(name[0]) if name[0] in FIELDS else name[0], text)
