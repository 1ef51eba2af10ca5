"""The functions' environment, read once per process."""

import os
from functools import cache


@cache
def setting(name: str) -> str:
    """Return the environment variable `name`.

    Raises RuntimeError, naming the variable, where it is missing or empty: the function was deployed without it.
    """
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"The environment variable {name} is {value!r}; it must hold the name of a DynamoDB table.")
    return value


def table_name() -> str:
    """Name of the main table, which holds the tags and the total."""
    return setting("TABLE_NAME")


def ledger_table_name() -> str:
    """Name of the ledger table, which remembers what of each tag is in the total."""
    return setting("LEDGER_TABLE_NAME")


def idempotency_table_name() -> str:
    """Name of the table that remembers idempotency keys, and what was answered to them."""
    return setting("IDEMPOTENCY_TABLE_NAME")
