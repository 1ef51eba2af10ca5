"""The tables: the environment variables that name them, and the key and attribute names that the component shares."""

import os
from functools import cache

TABLE_NAME = "TABLE_NAME"
LEDGER_TABLE_NAME = "LEDGER_TABLE_NAME"
IDEMPOTENCY_TABLE_NAME = "IDEMPOTENCY_TABLE_NAME"
"""The environment variables that hold the tables' names."""

KEY = "ID"
"""The partition key of every table."""

COUNTER = "COUNTER"
"""The key of the item that holds the total, and of the ledger's marker. It is reserved: no tag may use it."""

EXPIRES_AT = "ExpiresAt"
"""The TTL attribute of an idempotency key: when DynamoDB may delete it, in seconds since 1970."""


@cache
def setting(name: str) -> str:
    """Return the environment variable `name`, read once per process.

    Raises RuntimeError, naming the variable, if it is missing or empty: the function was deployed without it.
    """
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"The environment variable {name} is {value!r}; it must hold the name of a DynamoDB table.")
    return value


def table_name() -> str:
    """Return the name of the main table, which holds the tags and the total."""
    return setting(TABLE_NAME)


def ledger_table_name() -> str:
    """Return the name of the ledger table, which records how much of each tag is in the total."""
    return setting(LEDGER_TABLE_NAME)


def idempotency_table_name() -> str:
    """Return the name of the table that holds idempotency keys and the numbers of their visits."""
    return setting(IDEMPOTENCY_TABLE_NAME)
