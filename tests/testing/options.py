"""A resource with every option of its own."""

import pulumi


def every_option(other: pulumi.Resource, **more: object) -> pulumi.ResourceOptions:
    """Return options, one of each kind, that name `other` where they need a resource."""
    return pulumi.ResourceOptions(
        depends_on=[other],
        protect=True,
        retain_on_delete=True,
        delete_before_replace=True,
        ignore_changes=["tags"],
        replace_on_changes=["name"],
        additional_secret_outputs=["url"],
        aliases=[pulumi.Alias(name="older"), "urn:pulumi:a::b::c::d"],
        custom_timeouts=pulumi.CustomTimeouts(create="1m", update="2m", delete="3m"),
        deleted_with=other,
        version="7.0.0",
        **more,  # type: ignore[arg-type]
    )
