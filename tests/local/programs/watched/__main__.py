"""One function, made of every Python file in `code`, behind a route."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

code = Path(__file__).with_name("code")
trust = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
role = aws.iam.Role("role", assume_role_policy=pulumi.Output.json_dumps(trust))
function = aws.lambda_.Function(
    "function",
    role=role.arn,
    runtime="python3.13",
    handler="main.handler",
    code=pulumi.AssetArchive({path.name: pulumi.FileAsset(str(path)) for path in sorted(code.glob("*.py"))}),
)
api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
integration = aws.apigatewayv2.Integration(
    "integration",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_uri=function.invoke_arn,
    payload_format_version="2.0",
)
route = aws.apigatewayv2.Route(
    "route", api_id=api.id, route_key="$default", target=integration.id.apply(lambda id_: f"integrations/{id_}")
)
aws.apigatewayv2.Stage("stage", api_id=api.id, name="$default", auto_deploy=True)
pulumi.export("apiEndpoint", api.api_endpoint)
