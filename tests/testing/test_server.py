"""The monitor behind a real port, as programs in other processes and other languages reach it."""

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import callback_pb2, engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from components.engine.resource import STACK_TYPE
from components.engine.server import Message, RecordingEngine, serve
from components.engine.values import decode, encode
from components.testing import RecordingMonitor


def test_registrations_arrive_and_are_answered() -> None:
    monitor = RecordingMonitor()
    with serve(monitor, RecordingEngine()) as address, grpc.insecure_channel(address) as channel:
        stub = resource_pb2_grpc.ResourceMonitorStub(channel)
        response = stub.RegisterResource(
            resource_pb2.RegisterResourceRequest(
                type="aws:sqs/queue:Queue", name="q", custom=True, object=encode({"name": "n"})
            )
        )
        info = stub.GetDeploymentInfo(empty_pb2.Empty())
    assert response.id == "https://sqs.us-east-1.amazonaws.com/123456789012/n"
    assert decode(response.object).values["arn"] == "arn:aws:sqs:us-east-1:123456789012:n"
    assert [str(resource) for resource in monitor.resources] == ["aws:sqs/queue:Queue 'q'"]
    assert resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS in info.supportedFeatures


def test_the_stack_is_the_parent_of_what_names_none() -> None:
    monitor = RecordingMonitor()
    stack = monitor.RegisterResource(resource_pb2.RegisterResourceRequest(type=STACK_TYPE, name="project-test"))
    monitor.RegisterResource(resource_pb2.RegisterResourceRequest(type="test:index:Part", name="made"))
    monitor.ReadResource(resource_pb2.ReadResourceRequest(type="test:index:Part", name="read", id="id"))
    assert {one.name: one.parent for one in monitor.resources} == {
        "project-test": "",
        "made": stack.urn,
        "read": stack.urn,
    }


def test_whatever_a_program_registers_or_asks_besides_is_answered() -> None:
    with serve(RecordingMonitor(), RecordingEngine()) as address, grpc.insecure_channel(address) as channel:
        stub = resource_pb2_grpc.ResourceMonitorStub(channel)
        for method, question in {
            "RegisterStackTransform": callback_pb2.Callback(),
            "RegisterResourceHook": resource_pb2.RegisterResourceHookRequest(),
            "SignalAndWaitForShutdown": empty_pb2.Empty(),
        }.items():
            assert getattr(stub, method)(question, timeout=10) == empty_pb2.Empty()
        package = resource_pb2.RegisterPackageRequest(name="aws", version="7.0.0")
        assert stub.RegisterPackage(package, timeout=10).ref == "aws@7.0.0"


def test_messages_arrive_as_they_come() -> None:
    seen: list[Message] = []
    with serve(RecordingMonitor(), RecordingEngine(seen.append)) as address, grpc.insecure_channel(address) as channel:
        stub = engine_pb2_grpc.EngineStub(channel)
        stub.Log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message="careful"))
    assert seen == [Message("warning", "careful")]


def test_any_version_of_pulumi_will_do() -> None:
    with serve(RecordingMonitor(), RecordingEngine()) as address, grpc.insecure_channel(address) as channel:
        question = engine_pb2.RequirePulumiVersionRequest(pulumi_version_range=">=1000")
        answer = engine_pb2_grpc.EngineStub(channel).RequirePulumiVersion(question, timeout=10)
    assert answer == engine_pb2.RequirePulumiVersionResponse()


def test_nothing_is_served_once_the_block_has_ended() -> None:
    with serve(RecordingMonitor(), RecordingEngine()) as address:
        pass
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as caught:
        resource_pb2_grpc.ResourceMonitorStub(channel).GetDeploymentInfo(empty_pb2.Empty(), timeout=10)
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_an_archive_of_text_may_be_larger_than_grpcs_own_limit() -> None:
    text = encode({"text": "x" * 5_000_000})
    large = resource_pb2.RegisterResourceRequest(type="test:index:Part", name="p", object=text)
    with serve(RecordingMonitor(), RecordingEngine()) as address, grpc.insecure_channel(address) as channel:
        assert resource_pb2_grpc.ResourceMonitorStub(channel).RegisterResource(large, timeout=10).urn.endswith("::p")


def test_a_refusal_fails_the_call_if_nobody_listens_too() -> None:
    with (
        serve(RecordingMonitor(), RecordingEngine()) as address,
        grpc.insecure_channel(address) as channel,
        pytest.raises(grpc.RpcError, match="UnknownInvokeError: no answer for the provider function 'a:b:c'"),
    ):
        resource_pb2_grpc.ResourceMonitorStub(channel).Invoke(resource_pb2.ResourceInvokeRequest(tok="a:b:c"))


def test_a_refusal_fails_the_call_with_its_text_and_is_reported() -> None:
    errors: list[Exception] = []
    with (
        serve(RecordingMonitor(), RecordingEngine(), on_error=errors.append) as address,
        grpc.insecure_channel(address) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        resource_pb2_grpc.ResourceMonitorStub(channel).Invoke(resource_pb2.ResourceInvokeRequest(tok="a:b:c"))
    assert "no answer for the provider function 'a:b:c'" in str(caught.value.details())
    assert [type(error).__name__ for error in errors] == ["UnknownInvokeError"]
