"""AWS's own DynamoDB engine, DynamoDB Local, with its real streams and transactions.

It is installed once through Maven, into a cache outside the project. This needs Java and Maven.

Differences from AWS: it runs requests one after another, so transactions never fail with a TransactionConflict, and it
does not throttle. A record is in the stream before its write returns.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]

from tests.stream_records import as_lambda_record

VERSION = "2.6.1"
REGION = "eu-west-1"
MAX_TABLES = 50
"""The number of tables after which the engine is restarted: it slows down with every table."""

_SOURCE = Path(__file__).with_name("Loopback.java")
_MAIN = "Loopback"
_POM = f"""\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>engine</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""
_REQUIREMENTS = (
    "the tests on DynamoDB Local need a JDK of 17 or later and Maven (Debian: apt install default-jdk-headless maven)"
)
_INSTALL_SECONDS = 300
_START_SECONDS = 60.0
# For a process that lives for seconds, the C1 compiler and the serial collector cost least.
_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")
_OPTIONS = ("-inMemory", "-sharedDb", "-disableTelemetry")


class MissingToolError(Exception):
    """Java or Maven is missing; the message names the packages to install."""


class InstallError(Exception):
    """Java and Maven exist, but the installation failed: offline, or Java is too old."""


def install(cache: Path | None = None) -> Path:
    """Return the folder of the installed engine. Installs it first if necessary, once for all processes.

    Raises MissingToolError or InstallError.
    """
    if not shutil.which("java"):
        raise MissingToolError(f"{_REQUIREMENTS}; java is missing")
    folder = cache or _cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    # The name contains a checksum of everything that determines the installation, so an outdated one is not reused.
    checksum = hashlib.sha256(_POM.encode() + _SOURCE.read_bytes()).hexdigest()[:8]
    installed = folder / f"dynamodb-local-{VERSION}-{checksum}"
    with _locked(folder / "lock"):
        if not installed.exists():
            for tool in ("javac", "mvn"):
                if not shutil.which(tool):
                    raise MissingToolError(f"{_REQUIREMENTS}; {tool} is missing")
            with tempfile.TemporaryDirectory(dir=folder) as directory:
                _build(Path(directory))
                # Only complete installations have the final name.
                (Path(directory) / "done").rename(installed)
    return installed


def _build(directory: Path) -> None:
    (directory / "pom.xml").write_text(_POM, encoding="utf-8")
    jars = directory / "done" / "lib"
    _run("mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}", cwd=directory)
    classes = directory / "done" / "classes"
    _run("javac", "-cp", f"{jars}/*", "-d", str(classes), str(_SOURCE), cwd=directory)


def _run(*command: str, cwd: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_INSTALL_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InstallError(f"{_REQUIREMENTS}; {command[0]} did not end within {_INSTALL_SECONDS} s") from None
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
        raise InstallError(f"{_REQUIREMENTS}; {command[0]} failed: {lines[0]}")


def _cache_folder() -> Path:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "stream-triggered-counter"


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock out other processes. The system releases the lock of a process that dies."""
    with path.open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Engine:
    """A running DynamoDB Local on a free port of the loopback interface. It ends with this process at the latest.

    `client` and `streams` are boto3 clients for it. They do not retry, so tests see the engine's own errors.
    """

    endpoint: str
    client: Any
    streams: Any

    def __init__(self, installed: Path) -> None:
        self._installed = installed
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make AWS SDKs use this engine."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self._process.pid

    def make_client(self, service: str = "dynamodb", **config: Any) -> Any:
        """Create another boto3 client, with the botocore settings in `config`. Every thread needs its own."""
        settings = {"retries": {"total_max_attempts": 1}, "proxies": {}, **config}
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(**settings),
        )

    def create_table(self, name: str, stream_view_type: str | None = "NEW_AND_OLD_IMAGES") -> str:
        """Create a table like this project's: partition key `ID` (S), with a stream unless the view type is None.

        Returns the table's ARN.
        """
        stream: dict[str, Any] = {"StreamEnabled": stream_view_type is not None}
        if stream_view_type:
            stream["StreamViewType"] = stream_view_type
        created = self.client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream,
        )
        self.tables_created += 1
        return str(created["TableDescription"]["TableArn"])

    def delete_table(self, name: str) -> None:
        """Delete a table; its stream goes with it."""
        self.client.delete_table(TableName=name)

    def roll_over(self) -> None:
        """Close every shard of every stream, as after four hours. A new one continues it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline()

    def renew(self) -> None:
        """Restart if MAX_TABLES tables were created, to stay fast. Call it between cases, never within one."""
        if self.tables_created >= MAX_TABLES:
            self.restart()

    def restart(self) -> None:
        """Start again, empty, on another port. Earlier clients and readers become unusable."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """End the process. Idempotent."""
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _start(self) -> None:
        self.tables_created = 0
        path = os.pathsep.join((str(self._installed / "classes"), f"{self._installed / 'lib'}/*"))
        self._process = subprocess.Popen(
            [*_JAVA, "-cp", path, _MAIN, *_OPTIONS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=self._installed,
        )
        assert self._process.stdout is not None
        timer = threading.Timer(_START_SECONDS, self._process.kill)
        timer.start()
        try:
            port = self._process.stdout.readline().strip()
        finally:
            timer.cancel()
        if not port:
            self.stop()
            self._log.seek(0)
            raise RuntimeError(f"DynamoDB Local did not start within {_START_SECONDS:g} s:\n{self._log.read()[-4000:]}")
        self.endpoint = f"http://127.0.0.1:{port}"
        self.client, self.streams = self.make_client(), self.make_client("dynamodbstreams")


class StreamReader:
    """Reads a table's current stream from its beginning, in order. The stream of a deleted table stays readable.

    Records have the form in which Lambda passes them, in the `Records` of an event.
    """

    def __init__(self, engine: Engine, table: str) -> None:
        self._client = engine.streams
        self.arn: str = engine.client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._records: list[dict[str, Any]] = []
        # The shard of each record, by sequence number.
        self.shards: dict[str, str] = {}
        # Each shard's last sequence number that was read.
        self._read_up_to: dict[str, str] = {}
        self._finished: set[str] = set()

    def read(self) -> list[dict[str, Any]]:
        """Return all records of the stream so far."""
        self.take()
        return list(self._records)

    def take(self) -> list[dict[str, Any]]:
        """Return the records that earlier calls have not returned."""
        known = len(self._records)
        # A record is in the stream before its write returns. Only after a split of a shard does the list of shards have
        # to be read again.
        while self._read_shards():
            pass
        return self._records[known:]

    def _read_shards(self) -> bool:
        found = False
        for shard in self._shards():
            if shard not in self._finished:
                found |= self._read_shard(shard)
        return found

    def _shards(self) -> list[str]:
        """Every shard, parents before their children."""
        shards: dict[str, str | None] = {}
        request: dict[str, Any] = {"StreamArn": self.arn}
        while True:
            page = self._client.describe_stream(**request)["StreamDescription"]
            shards |= {shard["ShardId"]: shard.get("ParentShardId") for shard in page["Shards"]}
            if "LastEvaluatedShardId" not in page:
                break
            request["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]

        def generation(shard: str) -> int:
            parent = shards[shard]
            return 1 + generation(parent) if parent in shards else 0

        return sorted(shards, key=lambda shard: (generation(shard), shard))

    def _read_shard(self, shard: str) -> bool:
        """Read to the shard's present end. Returns whether there were any records."""
        start = (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._read_up_to[shard]}
            if shard in self._read_up_to
            else {"ShardIteratorType": "TRIM_HORIZON"}
        )
        iterator = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **start)["ShardIterator"]
        found = False
        while iterator:
            page = self._client.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                self._records.append(as_lambda_record(record, self.arn))
                self._read_up_to[shard] = record["dynamodb"]["SequenceNumber"]
                self.shards[record["dynamodb"]["SequenceNumber"]] = shard
            if not page["Records"]:
                if not page.get("NextShardIterator"):
                    break
                return found
            found = True
            iterator = page.get("NextShardIterator")
        self._finished.add(shard)
        return found
