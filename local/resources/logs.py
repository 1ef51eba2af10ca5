"""CloudWatch log groups."""

from __future__ import annotations

from components.engine.answers import Computed

from ..inputs import Inputs
from ..site import Site


def create_log_group(site: Site, inputs: Inputs) -> Computed:
    """Make a log group with its retention."""
    name = site.physical_name(inputs.resource, inputs.take("name"), inputs.take("namePrefix"))
    tags = site.all_tags(inputs.take("tags"))
    retention = inputs.take("retentionInDays")
    inputs.take("skipDestroy")  # It only matters when the group is deleted.
    arguments = inputs.shape({"kmsKeyId": "kmsKeyId", "logGroupClass": "logGroupClass"})
    inputs.finish()
    client = site.client("logs")
    client.create_log_group(logGroupName=name, tags=tags, **arguments)
    if retention:
        client.put_retention_policy(logGroupName=name, retentionInDays=retention)
    return name, {"name": name, "arn": site.place.arn("logs", f"log-group:{name}"), "tagsAll": tags}
