"""`./counter reconcile`: passes over the table until every visit is in the total."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

SUMMARY = "bring visits that the total misses into it, while visits go on"
_WIDTH = 30
# The stream gets longer and longer to bring in what a pass marked, before the next pass looks.
_FIRST_PAUSE_SECONDS = 1.0
_PASS_SECONDS = 24 * 3600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--table", required=True, help="the stack output tableName")
    parser.add_argument("--ledger", required=True, help="the stack output ledgerTableName")
    parser.add_argument("--region", help="the tables' region (default: as the AWS SDK finds it)")
    parser.add_argument("--endpoint-url", help="where AWS is: a local cloud's endpointUrl (default: AWS itself)")
    parser.add_argument(
        "--passes", type=_positive, default=5, metavar="N", help="the most passes to make until nothing is missing (5)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make passes until one finds nothing missing. Returns 0 then, 1 if something is missing after the last."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return _run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\ncounter: stopped; a pass may be stopped and started again at any time\n")
        return 130
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"\ncounter: {error}\n")
        return 1


def _run(arguments: argparse.Namespace) -> int:
    from functions.reconcile import Progress, reconcile  # noqa: PLC0415
    from functions.retry import patience  # noqa: PLC0415

    client = _client(arguments)
    # An estimate that DynamoDB renews every six hours; the bar is as good as it is.
    expected = client.describe_table(TableName=arguments.table)["Table"].get("ItemCount", 0)
    progress = Progress()
    for number in range(1, arguments.passes + 1):
        for progress in reconcile(client, arguments.table, arguments.ledger, patience(_PASS_SECONDS)):
            bar = _bar(progress.tags, expected)
            _show(f"pass {number} {bar} {progress.tags:,} tags, {progress.visits:,} visits missing")
        sys.stderr.write("\n")
        if not progress.behind:
            print(f"Every visit of {progress.tags:,} tags is in the total.")
            return 0
        if number < arguments.passes:
            time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (number - 1))
    print(
        f"{progress.visits:,} visits of {progress.behind:,} tags are not in the total yet. They are marked, and the "
        "stream brings them in; if they stay, look at the failure queue and at the log of process_stream."
    )
    return 1


def _client(arguments: argparse.Namespace) -> Any:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415

    local = {}
    if arguments.endpoint_url and not boto3.Session().get_credentials():
        from local.environment import ACCESS_KEY, SECRET_KEY  # noqa: PLC0415

        local = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return boto3.client("dynamodb", region_name=arguments.region, endpoint_url=arguments.endpoint_url, **local)


def _bar(done: int, expected: int) -> str:
    if expected <= 0:
        return ""
    filled = min(_WIDTH, _WIDTH * done // expected)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"


def _show(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of passes; allowed is 1 or more")
    return int(text)
