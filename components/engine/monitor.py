"""A resource monitor that records what a program registers and answers as a cloud would."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.proto import callback_pb2, resource_pb2

from . import transforms, values
from .answers import Computed, InvokeFailedError, InvokeHandler, Place, UnknownInvokeError, compute, standard
from .resource import STACK_TYPE, Invoke, Resource, from_read, from_registration, make_urn

# The features of this monitor, by the name that older SDKs ask for; newer ones get a list.
_FEATURES = {
    "secrets": "SECRETS",
    "resourceReferences": "RESOURCE_REFERENCES",
    "aliasSpecs": "ALIAS_SPECS",
    "replacementTrigger": "REPLACEMENT_TRIGGER",
    "deletedWith": "DELETED_WITH",
    "replaceWith": "REPLACE_WITH",
    "transforms": "TRANSFORMS",
    "parameterization": "PARAMETERIZATION",
    "resourceHooks": "RESOURCE_HOOKS",
}
_STRINGIFIED = "Calling __str__"


class DuplicateURNError(Exception):
    """Two resources have the same type, name and parent; a deployment refuses this too."""


class RecordingMonitor:
    """Records every registration of one run, in order, and answers it.

    Subclasses that create something real override `create`. In a preview nothing is created: ids and computed
    properties stay unknown. `invokes` adds answers for provider functions, by token.
    """

    def __init__(
        self,
        *,
        project: str = "project",
        stack: str = "test",
        preview: bool = False,
        place: Place | None = None,
        invokes: Mapping[str, InvokeHandler] | None = None,
    ) -> None:
        self.project = project
        self.stack = stack
        self.preview = preview
        self.place = place or Place()
        self.invokes: list[Invoke] = []
        self.problems: list[str] = []
        self._answers = {**standard(self.place), **(invokes or {})}
        self._resources: dict[str, Resource] = {}
        self._transforms: dict[str, list[callback_pb2.Callback]] = {}
        self._stack_transforms: list[callback_pb2.Callback] = []
        self._stack_urn = ""
        self._lock = threading.Lock()

    @property
    def resources(self) -> list[Resource]:
        """Everything registered so far, the stack included, in order of registration."""
        with self._lock:
            return list(self._resources.values())

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs, secrets unwrapped; empty until the program has ended."""
        with self._lock:
            stack = self._resources.get(self._stack_urn)
        return (stack and stack.outputs) or {}

    def create(self, resource: Resource) -> Computed:
        """Make the resource, and return its id and its computed properties. Called from several threads."""
        return compute(resource, self.place)

    def invoke(self, token: str, arguments: Mapping[str, Any], provider: str = "") -> Mapping[str, Any]:  # noqa: ARG002
        """Answer a provider's function; `provider` has the form of a resource's, for subclasses.

        Raises UnknownInvokeError, naming the token, if there is no answer, and InvokeFailedError for an answer that
        is a failure of the provider.
        """
        if token not in self._answers:
            raise UnknownInvokeError(
                f"no answer for the provider function {token!r}; known are {', '.join(sorted(self._answers))}"
            )
        return self._answers[token](arguments)

    # The engine's interface, as the SDK calls it.

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Record a registration and answer with the resource's identity and state."""
        parent = request.parent or self._stack_urn
        urn = make_urn(self.stack, self.project, parent, request.type, request.name)
        request = transforms.apply(request, self._inherit_transforms(urn, parent, request))
        decoded = values.decode(request.object)
        resource = from_registration(request, urn=urn, parent=parent, decoded=decoded)
        self._add(resource)
        response = resource_pb2.RegisterResourceResponse(urn=urn)
        if not resource.custom:
            return response
        response.object.CopyFrom(request.object)
        if self.preview:
            return response
        identifier, computed = self.create(resource)
        self._complete(resource, identifier, computed)
        response.id = identifier
        response.object.MergeFrom(values.encode(computed))
        return response

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        """Record a lookup and answer with the state that such a resource would have."""
        parent = request.parent or self._stack_urn
        urn = make_urn(self.stack, self.project, parent, request.type, request.name)
        decoded = values.decode(request.properties)
        resource = from_read(request, urn=urn, parent=parent, decoded=decoded)
        self._add(resource)
        computed = {} if self.preview else self.read(resource)
        self._complete(resource, resource.id, computed)
        response = resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)
        response.properties.MergeFrom(values.encode(computed))
        return response

    def read(self, resource: Resource) -> Mapping[str, Any]:
        """Return the state of an existing resource, whose id is `resource.id`."""
        named = replace(resource, inputs={"name": resource.id, **resource.inputs})
        return compute(named, self.place)[1]

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        """Record the outputs of a component or of the stack."""
        decoded = values.decode(request.outputs)
        with self._lock:
            resource = self._resources[request.urn]
            self._resources[request.urn] = replace(resource, outputs=decoded.values, secret_outputs=decoded.secrets)
        self._look_for_stringified(f"outputs of {resource}", decoded.values)
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """Record and answer a provider's function."""
        arguments = values.decode(request.args).values
        response = resource_pb2.ResourceInvokeResponse()
        if request.tok == "pulumi:pulumi:getResource":
            result: Mapping[str, Any] = self._get_resource(arguments["urn"])
        else:
            try:
                result = self.invoke(request.tok, arguments, request.provider)
            except InvokeFailedError as error:
                response.failures.add(reason=str(error))
                return response
        with self._lock:
            self.invokes.append(Invoke(request.tok, arguments, request.provider, result))
        getattr(response, "return").CopyFrom(values.encode(result))
        return response

    def RegisterStackTransform(self, request: callback_pb2.Callback) -> empty_pb2.Empty:  # noqa: N802
        """Keep a transform for every resource registered from now on."""
        self._stack_transforms.append(request)
        return empty_pb2.Empty()

    def GetDeploymentInfo(self, _request: object) -> resource_pb2.DeploymentInfo:  # noqa: N802
        """List the features of this monitor."""
        features = [getattr(resource_pb2, f"RESOURCE_MONITOR_FEATURE_{name}") for name in _FEATURES.values()]
        return resource_pb2.DeploymentInfo(
            project=self.project, stack=self.stack, dryRun=self.preview, supportedFeatures=features
        )

    def SupportsFeature(  # noqa: N802
        self, request: resource_pb2.SupportsFeatureRequest
    ) -> resource_pb2.SupportsFeatureResponse:
        """Tell an older SDK whether this monitor has a feature."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURES)

    def RegisterPackage(self, request: resource_pb2.RegisterPackageRequest) -> resource_pb2.RegisterPackageResponse:  # noqa: N802
        """Accept any package."""
        return resource_pb2.RegisterPackageResponse(ref=f"{request.name}@{request.version}")

    def RegisterResourceHook(self, _request: object) -> empty_pb2.Empty:  # noqa: N802
        """Accept a hook; hooks are not run."""
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: object) -> empty_pb2.Empty:  # noqa: N802
        """Let the program end at once: nothing is left to do for it."""
        return empty_pb2.Empty()

    def _add(self, resource: Resource) -> None:
        with self._lock:
            if resource.urn in self._resources:
                message = f"duplicate resource: {resource} is registered twice with the URN {resource.urn}"
                self.problems.append(message)
                raise DuplicateURNError(message)
            self._resources[resource.urn] = resource
            if resource.type == STACK_TYPE:
                self._stack_urn = resource.urn
        self._look_for_stringified(str(resource), resource.inputs)

    def _complete(self, resource: Resource, identifier: str, computed: Mapping[str, Any]) -> None:
        with self._lock:
            recorded = self._resources[resource.urn]
            state = {**resource.inputs, **computed}
            self._resources[resource.urn] = replace(recorded, id=identifier, state=state)

    def _inherit_transforms(
        self, urn: str, parent: str, request: resource_pb2.RegisterResourceRequest
    ) -> Iterator[callback_pb2.Callback]:
        with self._lock:
            self._transforms[urn] = [*request.transforms, *self._transforms.get(parent, [])]
            inherited = [*self._transforms[urn], *self._stack_transforms]
        return iter(inherited)

    def _look_for_stringified(self, where: str, properties: Mapping[str, Any]) -> None:
        for path, text in values.strings(properties):
            if _STRINGIFIED in text:
                self.problems.append(f"{where}: {path} is an Output turned into a string; use Output.concat or apply")

    def _get_resource(self, urn: str) -> Mapping[str, Any]:
        with self._lock:
            resource = self._resources[urn]
        return {"urn": urn, "id": resource.id, "state": dict(resource.state)}
