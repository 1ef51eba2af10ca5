"""Roles and policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.engine.answers import Computed

from ..inputs import Inputs, same
from ..site import Site


def create_role(site: Site, inputs: Inputs) -> Computed:
    """Make a role with the policies that it is created with."""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"))
    tags = site.all_tags(inputs.take("tags"))
    trust = _document(inputs.take("assumeRolePolicy"))
    attached = inputs.take("managedPolicyArns", [])
    inline = inputs.take("inlinePolicies", [])
    inputs.take("forceDetachPolicies")  # It only matters when a role is deleted.
    arguments = inputs.shape(same("description", "maxSessionDuration", "path", "permissionsBoundary"))
    inputs.finish()
    client = site.client("iam")
    role = client.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=trust,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        **arguments,
    )["Role"]
    for arn in attached:
        client.attach_role_policy(RoleName=name, PolicyArn=arn)
    for one in inline:
        client.put_role_policy(RoleName=name, PolicyName=one["name"], PolicyDocument=_document(one["policy"]))
    created = role["CreateDate"].isoformat()
    return name, {
        "name": name,
        "arn": role["Arn"],
        "uniqueId": role["RoleId"],
        "createDate": created,
        "path": role["Path"],
        "tagsAll": tags,
    }


def create_role_policy(site: Site, inputs: Inputs) -> Computed:
    """Put a policy into a role."""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"))
    role = inputs.take("role")
    policy = _document(inputs.take("policy"))
    inputs.finish()
    site.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)
    return f"{role}:{name}", {"name": name}


def create_policy(site: Site, inputs: Inputs) -> Computed:
    """Make a managed policy."""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"))
    tags = site.all_tags(inputs.take("tags"))
    policy = _document(inputs.take("policy"))
    arguments = inputs.shape(same("description", "path"))
    inputs.finish()
    made = site.client("iam").create_policy(PolicyName=name, PolicyDocument=policy, **arguments)["Policy"]
    return made["Arn"], {"name": name, "arn": made["Arn"], "policyId": made["PolicyId"], "tagsAll": tags}


def attach_role_policy(site: Site, inputs: Inputs) -> Computed:
    """Attach a managed policy to a role."""
    role, policy = inputs.take("role"), inputs.take("policyArn")
    inputs.finish()
    site.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    return f"{role}/{policy}", {}


def _document(policy: str | Mapping[str, Any]) -> str:
    return policy if isinstance(policy, str) else json.dumps(policy)
