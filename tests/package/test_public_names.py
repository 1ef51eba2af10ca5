"""What the package offers, and that nothing of it is imported before it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import components
from components import args, public
from tests.running import ROOT


def imported(modules: str) -> dict[str, bool]:
    """Import modules in a new process, and tell which others came along."""
    script = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name: name in done.stdout.split() for name in ("pulumi_aws", "components.public")}


def test_the_package_offers_what_is_public() -> None:
    assert {"ArgumentError", "StreamConsumer", "StreamTriggeredCounter", *args.__all__} == set(components.__all__)
    for name in components.__all__:
        assert getattr(components, name) is getattr(public, name)
    assert set(components.__all__) <= set(dir(components))


def test_a_name_that_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'components' has no attribute 'Counter'$"):
        components.Counter  # type: ignore[attr-defined]  # noqa: B018


def test_a_public_name_is_told_from_a_module_by_its_first_letter() -> None:
    assert all(name[0].isupper() for name in components.__all__)
    assert not [path.stem for path in Path(public.__file__).parent.glob("[A-Z]*.py")]


def test_the_engine_and_the_commands_start_without_pulumi_aws() -> None:
    # It takes longer to import than everything else that they need.
    assert imported("components.testing, cli.main, local.run") == {"pulumi_aws": False, "components.public": False}


def test_the_plugin_can_be_the_first_to_import_the_package() -> None:
    assert imported("components.plugin") == {"pulumi_aws": True, "components.public": False}
