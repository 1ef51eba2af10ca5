"""Building UpdateItem requests. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from .items import AttributeValue
from .tables import KEY

NAME = re.compile(r"#(\w+)")


def update_request(
    table: str, key: str, update: str, condition: str, values: Mapping[str, AttributeValue], **names: str
) -> dict[str, Any]:
    """Return an UpdateItem. In its expressions, `#Held` is the attribute `Held`, except for those in `names`."""
    used = dict.fromkeys(NAME.findall(f"{update} {condition}"))
    request: dict[str, Any] = {"TableName": table, "Key": {KEY: {"S": key}}, "UpdateExpression": update}
    request |= {"ConditionExpression": condition} if condition else {}
    request["ExpressionAttributeNames"] = {f"#{name}": names.get(name, name) for name in used}
    return {**request, "ExpressionAttributeValues": dict(values)}
