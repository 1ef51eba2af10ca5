"""The baselines run on DynamoDB Local, as in the benchmarks."""

from tests.dynamodb_local.conftest import engine, shared_engine

__all__ = ["engine", "shared_engine"]
