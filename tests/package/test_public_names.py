"""What the package offers, and that nothing of it is imported before it is asked for."""

import subprocess
import sys

import pytest

import components
from components import args, public
from tests.running import ROOT


def test_the_package_offers_what_is_public() -> None:
    assert {"ArgumentError", "StreamConsumer", "StreamTriggeredCounter", *args.__all__} == set(components.__all__)
    for name in components.__all__:
        assert getattr(components, name) is getattr(public, name)
    assert set(components.__all__) <= set(dir(components))


def test_a_name_that_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'components' has no attribute 'Counter'$"):
        components.Counter  # type: ignore[attr-defined]  # noqa: B018


def test_the_engine_and_the_commands_start_without_pulumi_aws() -> None:
    # It takes longer to import than everything else that they need.
    script = "import sys, components.testing, cli.main, local.run; print('pulumi_aws' in sys.modules)"
    started = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert started.stdout == "False\n"
