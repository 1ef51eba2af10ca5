"""Answers to the provider functions that tell a program where it is being deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .computed import Place

InvokeHandler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class UnknownInvokeError(Exception):
    """The program calls a provider function that the monitor has no answer for."""


class InvokeFailedError(Exception):
    """An answer raises this to fail as the provider would: the program gets an error with this text."""


def standard(place: Place) -> dict[str, InvokeHandler]:
    """Return the answers for the region, the caller and the partition, by token."""
    region = {
        "id": place.region,
        "region": place.region,
        "name": place.region,
        "description": place.region,
        "endpoint": f"ec2.{place.region}.amazonaws.com",
    }
    root = place.arn("iam", "root", region="")
    identity = {"id": place.account, "accountId": place.account, "arn": root, "userId": place.account}
    partition = {
        "id": place.partition,
        "partition": place.partition,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }
    return {
        "aws:index/getRegion:getRegion": lambda _: region,
        "aws:index/getCallerIdentity:getCallerIdentity": lambda _: identity,
        "aws:index/getPartition:getPartition": lambda _: partition,
    }
