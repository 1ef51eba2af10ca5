"""What a deployment leaves of the API: switches, allowed tags and authorization, and the document that describes it.

The components use this module as well, so it imports nothing of the package.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any
from unicodedata import category, normalize

API_FEATURES = "API_FEATURES"
"""The environment variable that holds the features as JSON. It is not set if all have their defaults."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that are operations."""

SWITCHES = {"countByGet": "count_by_get", "listing": "listing"}
"""The parts of `x-switched-off` in the OpenAPI document, and the features without which they apply."""

MAX_LISTED_TAGS = 10
"""The maximum number of allowed tags that an error message lists."""

GROUPS = ("record", "read")
"""The groups of routes that can require authorization; `x-group` in the OpenAPI document."""


@dataclass(frozen=True)
class Access:
    """Who may call a group of routes: `kind` is NONE, JWT or AWS_IAM. With `scopes`, a token needs one of them."""

    kind: str = "NONE"
    scopes: Sequence[str] = ()


@dataclass(frozen=True)
class Features:
    """The features of an API. `allowed_tags` are names or patterns with `*`; none means that all tags are allowed.

    `issuer` is the issuer of the tokens that groups with the kind JWT require.
    """

    count_by_get: bool = True
    listing: bool = True
    allowed_tags: Sequence[str] = ()
    record: Access = field(default_factory=Access)
    read: Access = field(default_factory=Access)
    issuer: Any = ""

    @classmethod
    def parse(cls, text: str) -> "Features":
        """Return the features in the text of the environment variable; all defaults if it is empty.

        Raises RuntimeError, naming the variable, if the component did not write the text.
        """
        try:
            given = json.loads(text) if text else {}
            access: dict[str, Any] = {group: Access(**given.pop(group)) for group in GROUPS if group in given}
            return cls(**given, **access)
        except (TypeError, ValueError, AttributeError) as error:
            message = f"The environment variable {API_FEATURES} is {text!r}; it must be as the component writes it."
            raise RuntimeError(message) from error

    def changed(self) -> dict[str, Any]:
        """Return the features that differ from their defaults, as `parse` reads them."""
        defaults = asdict(Features())
        # Not by `asdict`, which would copy the issuer: it may be an Output.
        given = {name: getattr(self, name) for name in defaults}
        given |= {group: asdict(given[group]) for group in GROUPS}
        return {name: value for name, value in given.items() if value != defaults[name]}

    def allows(self, tag: str) -> bool:
        """Whether visits of `tag` may be recorded."""
        return not self.allowed_tags or any(_matches(tag, pattern) for pattern in self.allowed_tags)

    @property
    def allowed(self) -> str:
        """The allowed tags, as a phrase for error messages and the document."""
        shown = [f"'{pattern}'" for pattern in self.allowed_tags[:MAX_LISTED_TAGS]]
        more = len(self.allowed_tags) - len(shown)
        listed = f"{', '.join(shown)}{f' or one of {more} more' if more else ''}"
        stars = ", where * stands for any characters" if any("*" in pattern for pattern in self.allowed_tags) else ""
        return f"{'one of ' if len(self.allowed_tags) > 1 else ''}{listed}{stars}"


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the template, the method and the operation of each route of an OpenAPI document."""
    for template, item in document["paths"].items():
        yield from ((template, method, item[method]) for method in item if method in METHODS)


def without_switched_off(document: Mapping[str, Any], features: Features) -> dict[str, Any]:
    """Return the OpenAPI document without the routes and parameters that are switched off.

    `document` describes an API with all features.
    """
    described = deepcopy(dict(document))
    patches = described.pop("x-switched-off")
    for name, feature in SWITCHES.items():
        if not getattr(features, feature):
            described = _merged(described, patches[name])
    return described


def describe(document: Mapping[str, Any], features: Features) -> dict[str, Any]:
    """Return the OpenAPI document of an API with these features; `document` describes one with all of them."""
    described = without_switched_off(document, features)
    for _, _, operation in operations(described):
        group = operation.get("x-group")
        if group == "record" and features.allowed_tags:
            operation["description"] = f"{operation['description']} The tag must be {features.allowed}."
        if group:
            _require(described, operation, getattr(features, group), features.issuer)
    _drop_unused(described)
    return described


def _require(document: dict[str, Any], operation: dict[str, Any], access: Access, issuer: str) -> None:
    """Describe the credentials that an operation requires, and the gateway's answers without them."""
    if access.kind == "NONE":
        return
    components, responses = document["components"], operation["responses"]
    schemes = components.setdefault("securitySchemes", {})
    if access.kind == "JWT":
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        schemes["jwt"] = {"type": "openIdConnect", "openIdConnectUrl": url}
        # One of the scopes is enough, so each is a way in of its own.
        operation["security"] = [{"jwt": [scope]} for scope in access.scopes] or [{"jwt": []}]
        responses["401"] = _gateway_answer("The token is missing, invalid or expired.")
        refused = "The token has none of the required scopes."
    else:
        schemes["iam"] = {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
        operation["security"] = [{"iam": []}]
        refused = "The request is not signed, or the principal must not call this route."
    refusal = _gateway_answer(f"{refused} Nothing was counted.")
    if "403" in responses:
        own = components["responses"][responses["403"]["$ref"].rpartition("/")[2]]
        refusal["description"] += f" Or: {own['description']}"
        refusal["content"] |= own["content"]
    responses["403"] = refusal


def _drop_unused(document: dict[str, Any]) -> None:
    """Drop the components that nothing refers to any more, which linters reject."""
    components = document["components"]
    for kind in ("responses", "parameters", "headers", "schemas"):  # in this order, each may refer to later ones
        text = json.dumps(document)
        used = {name for name in components[kind] if f'"#/components/{kind}/{name}"' in text}
        components[kind] = {name: value for name, value in components[kind].items() if name in used}


def _gateway_answer(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/GatewayMessage"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _matches(tag: str, pattern: str) -> bool:
    return fnmatchcase(tag, _glob(pattern))


@cache
def _glob(pattern: str) -> str:
    """Return an allowed tag as fnmatch reads it, normalised as tags are (`validate_tag`)."""
    spaced = "".join(" " if category(character) == "Zs" else character for character in pattern)
    # `[` would begin a set. `?`, which stands for one character, is in no tag.
    return normalize("NFC", spaced).replace("[", "[[]")


def _merged(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396): null removes a member."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged
