"""Custom domains of APIs, and the DNS records that lead to them."""

from __future__ import annotations

from components.engine.answers import Computed

from ..inputs import Inputs, Shape, same
from ..site import Site

_CONFIGURATION: Shape = {
    **same("certificateArn", "endpointType", "ipAddressType", "ownershipVerificationCertificateArn"),
    "securityPolicy": "SecurityPolicy",
}
_MAPPING: Shape = same("apiId", "apiMappingKey", "domainName", "stage")
_RECORD: Shape = {
    **same("name", "type"),
    "aliases": ("AliasTarget", {**same("evaluateTargetHealth"), "name": "DNSName", "zoneId": "HostedZoneId"}),
    "ttl": "TTL",
}


def create_domain_name(site: Site, inputs: Inputs) -> Computed:
    """Make a custom domain. The emulator serves it by the header `Host`, and does not ask for the certificate."""
    name = inputs.take("domainName")
    tags = site.all_tags(inputs.take("tags"))
    given = inputs.take("domainNameConfiguration", {})
    inputs.finish()
    made = site.client("apigatewayv2").create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[inputs.rename(given, _CONFIGURATION, "domainNameConfiguration.")],
        Tags=tags,
    )
    [found] = made["DomainNameConfigurations"]
    configuration = {**given, "targetDomainName": found["ApiGatewayDomainName"], "hostedZoneId": found["HostedZoneId"]}
    return name, {
        "arn": site.place.arn("apigateway", f"/domainnames/{name}", account=""),
        "domainNameConfiguration": configuration,
        "tagsAll": tags,
    }


def create_api_mapping(site: Site, inputs: Inputs) -> Computed:
    """Serve a stage of an API at a custom domain."""
    arguments = inputs.shape(_MAPPING)
    inputs.finish()
    return site.client("apigatewayv2").create_api_mapping(**arguments)["ApiMappingId"], {}


def create_record(site: Site, inputs: Inputs) -> Computed:
    """Make a DNS record if its zone was made here; a zone that only AWS has gets none, and nothing asks for it."""
    zone, values = inputs.take("zoneId"), inputs.take("records", [])
    inputs.take("allowOverwrite")  # Every record is new here.
    arguments = inputs.shape(_RECORD)
    inputs.finish()
    for alias in arguments.pop("AliasTarget", []):
        arguments["AliasTarget"] = alias
    if values:
        arguments["ResourceRecords"] = [{"Value": value} for value in values]
    client = site.client("route53")
    try:
        changes = [{"Action": "CREATE", "ResourceRecordSet": arguments}]
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    except client.exceptions.NoSuchHostedZone:
        pass
    return f"{zone}_{arguments['Name']}_{arguments['Type']}", {"fqdn": arguments["Name"]}
