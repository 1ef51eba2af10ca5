"""Nothing that a program asks for is dropped on the way to AWS."""

import pytest

from components.testing import Resource
from local.errors import UnknownInputError
from local.inputs import Inputs, Shape, same


def inputs(**given: object) -> Inputs:
    return Inputs(Resource(type="aws:x/y:Y", name="y", urn="urn", id="", custom=True, inputs=given, state={}))


def test_names_are_translated_at_every_level() -> None:
    shape: Shape = {"batchSize": "BatchSize", "filter": ("Filter", {"patterns": ("Patterns", {"one": "One"})})}
    given = inputs(batchSize=1, filter={"patterns": [{"one": 1}, {"one": 2}]})
    assert given.shape(shape) == {"BatchSize": 1, "Filter": {"Patterns": [{"One": 1}, {"One": 2}]}}
    given.finish()


def test_only_given_inputs_appear() -> None:
    assert inputs(a=1).shape(same("a", "b")) == {"A": 1}


def test_an_input_that_nobody_took_is_refused() -> None:
    given = inputs(a=1, zeta=2, beta=3)
    assert given.take("a") == 1
    with pytest.raises(UnknownInputError, match="Y 'y': the local cloud does not support the input beta, zeta;"):
        given.finish()


def test_an_unknown_nested_input_is_refused_with_its_path() -> None:
    with pytest.raises(UnknownInputError, match=r"does not support the input outer\.inner\.odd;"):
        inputs(outer=[{"inner": {"odd": 1}}]).shape({"outer": ("Outer", {"inner": ("Inner", same("even"))})})


def test_a_missing_input_has_its_default() -> None:
    assert inputs().take("a", 5) == 5
