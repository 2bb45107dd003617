"""Corrects differences between the emulator and AWS after the template is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.sam_deployment import STACK

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

STAGE = "v1"
DOOR_STAGE = "v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedApi:
    """An API of the stack.

    Attributes:
        api_id: Its present id: to the emulator a changed API is a new one.
        resource: Its name in the template.
        stage: Its stage.
        context: Values of the authorizer's context, which the emulator does not pass on to error answers.
    """

    api_id: str
    resource: str
    stage: str
    context: Mapping[str, str] = field(default_factory=dict)


def set_gateway_responses(
    api: DeployedApi, *, cloudformation: "CloudFormationClient", apigateway: "APIGatewayClient"
) -> None:
    """Give a deployed API the template's error answers.

    On AWS they come from the API's OpenAPI body. The emulator reads only paths and security from it.

    Args:
        api: The API.
        cloudformation: A client, to read the template as SAM has expanded it.
        apigateway: A client, to write the error answers.
    """
    template: Any = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    body = template["Resources"][api.resource]["Properties"]["Body"]
    known = {f"context.authorizer.{name}": f"'{value}'" for name, value in api.context.items()}
    for kind, response in body["x-amazon-apigateway-gateway-responses"].items():
        apigateway.put_gateway_response(
            restApiId=api.api_id,
            responseType=kind,
            statusCode=str(response["statusCode"]),
            responseParameters={
                header: known.get(source, source) for header, source in response["responseParameters"].items()
            },
            responseTemplates=response["responseTemplates"],
        )
    apigateway.create_deployment(restApiId=api.api_id, stageName=api.stage)


def allow_plain_http(bucket: str, *, s3: "S3Client") -> None:
    """Remove a bucket's policy that refuses plain HTTP: the emulator speaks only HTTP, and enforces policies."""
    s3.delete_bucket_policy(Bucket=bucket)


def has_gateway_responses(api_id: str, *, apigateway: "APIGatewayClient") -> bool:
    """Return whether the API has its own error answers already."""
    responses = apigateway.get_gateway_responses(restApiId=api_id)["items"]
    return any(not response["defaultResponse"] for response in responses)
