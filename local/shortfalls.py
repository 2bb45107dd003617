"""Corrects differences between the emulator and AWS after the template is deployed."""

from typing import TYPE_CHECKING, Any

from local.sam_deployment import STACK

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

STAGE = "v1"
API_RESOURCE = "Api"


def set_gateway_responses(
    api_id: str, *, cloudformation: "CloudFormationClient", apigateway: "APIGatewayClient"
) -> None:
    """Give the deployed API the template's error answers.

    On AWS they come from the API's OpenAPI body. The emulator reads only paths and security from it.

    Args:
        api_id: The stack's present API.
        cloudformation: A client, to read the template as SAM has expanded it.
        apigateway: A client, to write the error answers.
    """
    template: Any = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
    body = template["Resources"][API_RESOURCE]["Properties"]["Body"]
    for kind, response in body["x-amazon-apigateway-gateway-responses"].items():
        apigateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            statusCode=str(response["statusCode"]),
            responseParameters=response["responseParameters"],
            responseTemplates=response["responseTemplates"],
        )
    apigateway.create_deployment(restApiId=api_id, stageName=STAGE)


def allow_plain_http(bucket: str, *, s3: "S3Client") -> None:
    """Remove a bucket's policy that refuses plain HTTP: the emulator speaks only HTTP, and enforces policies."""
    s3.delete_bucket_policy(Bucket=bucket)


def has_gateway_responses(api_id: str, *, apigateway: "APIGatewayClient") -> bool:
    """Return whether the API has its own error answers already."""
    responses = apigateway.get_gateway_responses(restApiId=api_id)["items"]
    return any(not response["defaultResponse"] for response in responses)
