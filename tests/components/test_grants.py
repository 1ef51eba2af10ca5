"""Grants go to any role that the embedder names; what they allow is in test_policies."""

import pulumi
import pulumi_aws as aws
import pytest

from components import ArgumentError, StreamTriggeredCounter
from components.testing import run

TRUST = '{"Version": "2012-10-17", "Statement": []}'


def test_grants_to_role_resources() -> None:
    def program() -> None:
        counter = StreamTriggeredCounter("counter")
        role = aws.iam.Role("worker", assume_role_policy=TRUST)
        counter.grant_count(role)
        counter.grant_read(role)

    result = run(program)
    for name in ("counter-count-worker", "counter-read-worker"):
        policy = result.one("aws:iam/rolePolicy:RolePolicy", name)
        assert policy.inputs["role"] == result.one("aws:iam/role:Role", "worker").state["name"]
        assert policy.parent == result.one("counter").urn


def test_grants_to_a_role_by_name_and_by_output() -> None:
    def program() -> None:
        counter = StreamTriggeredCounter("counter")
        counter.grant_read("their-role")
        counter.grant_read(pulumi.Output.from_input("other-role"), name="other")

    result = run(program)
    assert result.one("counter-read-their-role").inputs["role"] == "their-role"
    assert result.one("counter-read-other").inputs["role"] == "other-role"


def test_a_role_known_later_needs_a_name() -> None:
    with pytest.raises(ArgumentError, match=r"^name: is missing"):
        run(lambda: StreamTriggeredCounter("counter").grant_read(pulumi.Output.from_input("role")))


def test_an_arn_is_not_a_name() -> None:
    with pytest.raises(ArgumentError, match=r"^role: .*the name \(not the ARN\)"):
        run(lambda: StreamTriggeredCounter("counter").grant_read("arn:aws:iam::123456789012:role/x"))
