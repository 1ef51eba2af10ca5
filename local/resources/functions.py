"""Lambda functions and who may call them."""

from __future__ import annotations

import time
from typing import Any

import pulumi

from components.engine.answers import Computed

from .. import archive
from ..errors import ResourceError
from ..inputs import Inputs, Shape, same
from ..site import Site

_ACTIVE_SECONDS = 30.0
_FUNCTION: Shape = {
    **same("architectures", "description", "handler", "layers", "memorySize", "packageType", "publish", "role"),
    **same("runtime", "timeout"),
    "deadLetterConfig": ("DeadLetterConfig", same("targetArn")),
    "environment": ("Environment", same("variables")),
    "ephemeralStorage": ("EphemeralStorage", same("size")),
    "kmsKeyArn": "KMSKeyArn",
    "loggingConfig": ("LoggingConfig", same("applicationLogLevel", "logFormat", "logGroup", "systemLogLevel")),
    "tracingConfig": ("TracingConfig", same("mode")),
}
_PERMISSION: Shape = same(
    "action", "eventSourceToken", "functionUrlAuthType", "principal", "qualifier", "sourceAccount", "sourceArn"
)


def create_function(site: Site, inputs: Inputs) -> Computed:
    """Make a function from its archive, exactly as it would be uploaded."""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"))
    tags = site.all_tags(inputs.take("tags"))
    concurrency = inputs.take("reservedConcurrentExecutions")
    code = pack(site, inputs, inputs.take("code"))
    inputs.take("skipDestroy")  # It only matters when the function is deleted.
    inputs.take("sourceCodeHash")  # It only tells Pulumi when to upload again.
    arguments = inputs.shape(_FUNCTION)
    inputs.finish()
    client = site.client("lambda")
    made = client.create_function(FunctionName=name, Code={"ZipFile": code}, Tags=tags, **arguments)
    _wait_until_active(client, inputs, name)
    if concurrency is not None and concurrency >= 0:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=concurrency)
    arn = site.place.arn("lambda", f"function:{name}")
    version = made["Version"]
    return name, {
        "name": name,
        "arn": arn,
        "invokeArn": _invoke_arn(site, arn),
        "qualifiedArn": f"{arn}:{version}",
        "qualifiedInvokeArn": _invoke_arn(site, f"{arn}:{version}"),
        "version": version,
        "lastModified": made["LastModified"],
        "codeSha256": made["CodeSha256"],
        "sourceCodeSize": made["CodeSize"],
        "tagsAll": tags,
    }


def add_permission(site: Site, inputs: Inputs) -> Computed:
    """Allow a service to call a function."""
    prefix = inputs.take("statementIdPrefix")
    statement = site.physical_name(inputs.resource, inputs.take("statementId"), prefix)
    function = inputs.take("function")
    arguments = inputs.shape({**_PERMISSION, "principalOrgId": "PrincipalOrgID"})
    inputs.finish()
    site.client("lambda").add_permission(FunctionName=function, StatementId=statement, **arguments)
    return statement, {"statementId": statement}


def pack(site: Site, inputs: Inputs, code: Any) -> bytes:
    """Return the zip that a function's `code` stands for."""
    if not isinstance(code, pulumi.Asset | pulumi.Archive):
        raise ResourceError(inputs.resource, "the local cloud creates functions only from `code`, which is missing")
    try:
        return archive.pack(archive.read(code, site.directory))
    except archive.ArchiveError as error:
        raise ResourceError(inputs.resource, f"code: {error}") from None


def _wait_until_active(client: Any, inputs: Inputs, name: str) -> None:
    """Wait as long as it takes, which is milliseconds; the SDK's waiter looks once a second."""
    deadline = time.monotonic() + _ACTIVE_SECONDS
    while (state := client.get_function_configuration(FunctionName=name)["State"]) != "Active":
        if state == "Failed" or time.monotonic() > deadline:
            raise ResourceError(inputs.resource, f"does not become active; its state is {state}")
        time.sleep(0.02)


def _invoke_arn(site: Site, arn: str) -> str:
    # API Gateway's own notation, with the service where other ARNs have the account.
    return site.place.arn("apigateway", f"path/2015-03-31/functions/{arn}/invocations", account="lambda")
