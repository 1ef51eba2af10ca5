"""`./counter reconcile`: passes over the table until every visit is in the total."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import Any

SUMMARY = "bring visits that the total misses into it, while visits go on"
_WIDTH = 30
# What a pass marked has to come through the stream before the next pass looks: at least these seconds, twice as many
# after every further pass, and the batching window each time.
_FIRST_PAUSE_SECONDS = 1.0
_PASS_SECONDS = 24 * 3600.0
_MAX_WINDOW = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--table", required=True, help="the stack output tableName")
    parser.add_argument("--ledger", required=True, help="the stack output ledgerTableName")
    parser.add_argument("--region", help="the tables' region (default: as the AWS SDK finds it)")
    parser.add_argument("--endpoint-url", help="where AWS is: a local cloud's endpointUrl (default: AWS itself)")
    parser.add_argument(
        "--passes", type=_positive, default=5, metavar="N", help="the most passes to make until nothing is missing (5)"
    )
    parser.add_argument(
        "--batching-window",
        type=_seconds,
        default=0,
        metavar="S",
        help="the mapping's maximumBatchingWindowInSeconds, which every pause between two passes allows for (0)",
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="first let this ledger keep the total, even if another one does; it is rebuilt from the counts",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make passes until one finds nothing missing. Returns 0 then, 1 if something is missing after the last."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # noqa: PLC0415

    from functions.dynamodb.retries import UnreadItemsError  # noqa: PLC0415
    from functions.total.totals import TotalKeptElsewhereError, TotalNotWrittenError  # noqa: PLC0415

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return _run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\ncounter: stopped; a pass may be stopped and started again at any time\n")
        return 130
    except (BotoCoreError, ClientError, TotalKeptElsewhereError, TotalNotWrittenError, UnreadItemsError) as error:
        sys.stderr.write(f"counter: {error}\n")
        return 1


def _run(arguments: argparse.Namespace) -> int:
    from functions.dynamodb.retries import retry_budget  # noqa: PLC0415
    from functions.total.reconciliation import Progress, Reconciliation  # noqa: PLC0415

    reconciliation = Reconciliation(_client(arguments), arguments.table, arguments.ledger)
    if arguments.take_over:
        reconciliation.take_over(retry_budget(_PASS_SECONDS))
        _show(f"The ledger {arguments.ledger} keeps the total of table {arguments.table} from now on.\n")
    progress = Progress()
    for number in range(1, arguments.passes + 1):
        for progress in reconciliation.run(retry_budget(_PASS_SECONDS)):
            bar = _bar(progress.tags, progress.expected)
            seen = f"{progress.entries:,} ledger entries, {progress.tags:,} tags"
            _show(f"pass {number} {bar} {seen}, {progress.visits:,} visits of {progress.behind:,} tags missing")
        sys.stderr.write("\n")
        if not progress.behind:
            print(f"Every visit of {_number(progress.tags, 'tag')} is in the total{_reservation(progress.drift)}.")
            return 0
        if number < arguments.passes:
            time.sleep(arguments.batching_window + _FIRST_PAUSE_SECONDS * 2 ** (number - 1))
    verb, counts = ("is", "its count") if progress.behind == 1 else ("are", "their counts")
    print(
        f"{_number(progress.behind, 'tag')} {verb} not wholly in the total yet ({_number(progress.visits, 'visit')}). "
        f"The stream re-emits {counts}. If this stays so, see the dead-letter queue and the log of process_stream."
    )
    return 1


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _reservation(drift: int) -> str:
    if not drift:
        return ", and the total is the sum of the ledger"
    return f"; as it was rising, it was compared with the sum of the ledger only to within {drift:,} visits"


def _client(arguments: argparse.Namespace) -> Any:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415

    # A session of its own, so that the credentials are those of now.
    session, local = boto3.Session(), {}
    if arguments.endpoint_url and not session.get_credentials():
        from local.environment import ACCESS_KEY, SECRET_KEY  # noqa: PLC0415

        local = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    return session.client("dynamodb", region_name=arguments.region, endpoint_url=arguments.endpoint_url, **local)


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


def _seconds(text: str) -> int:
    if not text.isdigit() or int(text) > _MAX_WINDOW:
        raise argparse.ArgumentTypeError(f"{text!r} is not a batching window; allowed is 0 to {_MAX_WINDOW}")
    return int(text)
