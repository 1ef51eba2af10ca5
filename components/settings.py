"""How arguments are declared: a frozen class for each group, and in it a field for each argument.

A class stands in the module of the resources that it is for, and is named `…Settings`. `./counter generate` makes a
TypedDict `…Args` of it in `args.py`, and keys of the `config:` section of `Pulumi.yaml`; the schema and the reference
follow from the TypedDicts. The string after a field becomes its description, with the default and the limits added.

A limit is one that an API itself refuses to exceed. A quota, which AWS raises on request, is not; the description names
it. The component host decides the types: plain integers, enums and flags; `Input` only for text.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, NamedTuple, Self

from .checks import ArgumentError, Check, Flag, Member, plain, refuse_unknown


class OnlyWith(NamedTuple):
    """The argument beside it that an argument depends on, and the value without which it has no effect."""

    name: str
    value: Any


def setting(default: Any, check: Check | None = None, *, only_with: OnlyWith | None = None) -> Any:
    """Declare a field with a default, and what it may hold: the check of an enum or a flag follows from the default."""
    if check is None:
        check = Flag() if isinstance(default, bool) else Member(type(default))
    metadata = {"check": check, "only_with": only_with}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def required(check: Check, why: str = "") -> Any:
    """Declare a field without a default: what it may hold, and why it cannot be left out."""
    return field(metadata={"check": check, "missing": f"is missing, and {why}" if why else "is missing"})


def group(of: "type[Settings]") -> Any:
    """Declare a field that holds other settings, by default with all their defaults."""
    return field(default_factory=of, metadata={"check": Group(of)})


def is_required(declared: Field[Any]) -> bool:
    """Return whether a field has no default."""
    return declared.default is MISSING and declared.default_factory is MISSING


def default_of(declared: Field[Any]) -> Any:
    """Return the default of a field; None if it has none."""
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return None if declared.default is MISSING else declared.default


class FromConfig(dict[str, Any]):
    """Arguments that came from a stack's configuration, where every field has a key of its own (`batchSize`)."""


def config_key(field_name: str) -> str:
    """Return a field's name in camel case, as in configuration and other languages: `batch_size` is `batchSize`."""
    first, *others = field_name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Checked arguments, with the defaults filled in."""

    path_of: Callable[[str], str] = field(default=str, compare=False)
    """Returns what the user calls a field: its configuration key if it came from there, else its path."""

    @classmethod
    def declared(cls) -> dict[str, Field[Any]]:
        """Return the fields that are arguments, by their names."""
        return {one.name: one for one in fields(cls) if "check" in one.metadata}

    @classmethod
    def kinds(cls) -> "list[type[Settings]]":
        """List all classes of settings, each before its subclasses."""
        return [kind for one in cls.__subclasses__() for kind in (one, *one.kinds())]

    @classmethod
    def groups(cls) -> "dict[str, type[Settings]]":
        """Return the classes of the fields that are groups of arguments, by the fields' names."""
        checks = {name: one.metadata["check"] for name, one in cls.declared().items()}
        return {name: check.of for name, check in checks.items() if isinstance(check, Group)}

    @classmethod
    def read(cls, args: Any, path: str = "") -> Self:
        """Check `args` (a mapping, or None for all defaults) field by field.

        `path` is what the user calls the group. Raises `ArgumentError` with the path of the first field that is
        unknown, missing or not allowed.
        """
        declared = cls.declared()
        args = {} if args is None else args
        if not isinstance(plain(path or "args", args, str(Group(cls))), Mapping):
            raise ArgumentError(path or "args", f"{args!r} is not a mapping", str(Group(cls)))
        refuse_unknown(path, args, declared)
        nothing: dict[str, Any] = FromConfig() if isinstance(args, FromConfig) else {}

        def path_of(name: str) -> str:
            if isinstance(args, FromConfig):
                return config_key(name)
            return f"{path}.{name}" if path else name

        # None is how Python passes an optional argument that was left out, so it means the default here, too.
        given = {name: value for name, value in args.items() if value is not None}
        for name, one in declared.items():
            if name not in given and is_required(one):
                raise ArgumentError(path_of(name), one.metadata["missing"], str(one.metadata["check"]))
        # A group that was left out is read as well, so that it knows its path if one of its defaults is refused later.
        left_out = {name: nothing for name, of in cls.groups().items() if declared[name].default_factory is of}
        values = {
            name: declared[name].metadata["check"](path_of(name), value) for name, value in (left_out | given).items()
        }
        settings = cls(**values, path_of=path_of)
        settings._check_only_with(given)
        settings.check_combination(given)
        return settings

    def check_combination(self, given: Mapping[str, Any]) -> None:
        """Raise `ArgumentError` if the arguments that were given are not allowed together; for a class to override."""

    def _check_only_with(self, given: Mapping[str, Any]) -> None:
        declared = self.declared()
        for name, value in given.items():
            needed = declared[name].metadata.get("only_with")
            if needed is not None and getattr(self, needed.name) != needed.value:
                other = self.path_of(needed.name)
                raise ArgumentError(
                    self.path_of(name),
                    f"{value!r} has no effect with {other} {getattr(self, needed.name)}",
                    f"{other} {needed.value} with it, or neither",
                )


@dataclass(frozen=True)
class Group:
    """A group of arguments that have a settings class of their own."""

    of: type[Settings]

    def __call__(self, path: str, value: Any) -> Settings:
        """Check each argument of the group."""
        return self.of.read(value, path)

    def __str__(self) -> str:
        return f"a mapping with the keys {', '.join(self.of.declared())}"
