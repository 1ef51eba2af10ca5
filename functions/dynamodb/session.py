"""The botocore session of a process, and the data that it reads.

A good part of a cold start is botocore reading its data: the endpoints of 400 services, and all of DynamoDB's
operations. `model.json` has the part of both that the functions use, made by `./counter generate` from the botocore
version that the project pins. The code that reads it is the runtime's botocore, which may be another version. The file
is therefore read only if the tests have shown that it makes the same requests as the runtime's own data. In every other
case, the runtime's own data is read, which takes longer and changes nothing else.
"""

import json
import logging
import os
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.loaders import Loader  # type: ignore[import-untyped]
from botocore.session import Session, get_session  # type: ignore[import-untyped]

from .build import MODEL_BOTOCORE, MODEL_CHECKSUM
from .items import DynamoDB

logger = logging.getLogger(__name__)

MODEL = Path(__file__).with_name("model.json")

OLDEST_BOTOCORE = "1.38.0"
"""The oldest botocore whose requests with `model.json` the tests compare; the newest is that of the model."""

Model = Mapping[str, Any]
"""The data in `model.json` by botocore's own names: `endpoints`, `service-2`, `endpoint-rule-set-1`."""


class UnusableModelError(Exception):
    """The reason why `model.json` must not be read here."""


class ModelLoader(Loader):  # type: ignore[misc]
    """Loads DynamoDB's data from `model`, and all other data from where botocore finds it."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Load the data of a service."""
        if service_name == "dynamodb" and api_version is None and type_name in self._model:
            return self._model[type_name]
        return super().load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> Any:
        """Load the data under `name`, with the path of its file."""
        return (self._model[name], str(MODEL)) if name == "endpoints" else super().load_data_with_path(name)

    def is_builtin_path(self, path: str) -> bool:
        """Whether the data under `path` counts as botocore's own. Endpoints that do not would replace the rule set."""
        return path == str(MODEL) or bool(super().is_builtin_path(path))


def create_client(config: Config) -> DynamoDB:
    """Create a DynamoDB client, configured as `boto3.client("dynamodb", config=config)` is.

    boto3 itself only adds the resources and the transfers of S3, which take a tenth of a cold start to import.
    """
    session, from_model = _session()
    if from_model:
        try:
            return _created(session, config)
        except Exception:
            logger.warning("no client could be created from model.json", exc_info=True)
    return _created(_plain_session(), config)


def forget_sessions() -> None:
    """Make the next client read its credentials and configuration again."""
    _session.cache_clear()
    _plain_session.cache_clear()


def _created(session: Session, config: Config) -> DynamoDB:
    client: DynamoDB = session.create_client("dynamodb", config=config)
    return client


@cache
def _plain_session() -> Session:
    return get_session()


@cache
def _session() -> tuple[Session, bool]:
    """Return the session that all clients share, and whether it reads `model.json`."""
    session = get_session()
    try:
        session.register_component("data_loader", ModelLoader(_usable_model(session)))
    except UnusableModelError as reason:
        logger.info("model.json is not used: %s", reason)
        return _plain_session(), False
    return session, True


def _usable_model(session: Session) -> Model:
    """Return the model. Raises UnusableModelError unless it makes the same requests as the runtime's own data."""
    if not _numbers(OLDEST_BOTOCORE) <= _numbers(botocore.__version__) <= _numbers(MODEL_BOTOCORE):
        raise UnusableModelError(f"botocore is {botocore.__version__}, not {OLDEST_BOTOCORE} to {MODEL_BOTOCORE}")
    # Other providers of credentials may need clients of further services, whose endpoints the model does not have.
    if not (os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY")):
        raise UnusableModelError("the credentials are not in the environment")
    if session.get_config_variable("data_path") or Path(Loader.CUSTOMER_DATA_PATH).is_dir():
        raise UnusableModelError("botocore is configured to read other data")
    try:
        raw = MODEL.read_bytes()
    except OSError as error:
        raise UnusableModelError(f"it cannot be read: {error}") from error
    if zlib.crc32(raw) != MODEL_CHECKSUM:
        raise UnusableModelError("it is damaged")
    model: Model = json.loads(raw)
    region = session.get_config_variable("region")
    # A region that is newer than the model may be in a partition of its own.
    if not any(region in partition["regions"] for partition in model["endpoints"]["partitions"]):
        raise UnusableModelError(f"it does not know the region {region}")
    return model


def _numbers(version: str) -> list[int]:
    """Return a version's numbers. One that is not a release is older than all others."""
    parts = version.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else []
