"""Lists page by page on the deployed stack, while the secret that signs their cursors is rotated."""

from local.aws import Endpoint
from local.sam_deployment import STACK
from local.stack import StackDescription
from tests.e2e.client import Client


def test_a_client_that_pages_does_not_notice_a_rotation(stack: StackDescription) -> None:
    acme = Client.of(stack, "acme")
    for name in ("cursor-a", "cursor-b", "cursor-c"):
        acme.published(name)
    path = "/packs?owned=true&q=cursor-&limit=1"
    pages = [acme.call("GET", path).body]
    _rotate(stack)
    for _ in range(2):
        pages.append(acme.call("GET", f"{path}&cursor={pages[-1]['next_cursor']}").body)

    assert [pack["name"] for page in pages for pack in page["packs"]] == ["cursor-a", "cursor-b", "cursor-c"]
    assert "next_cursor" not in pages[-1]


def _rotate(stack: StackDescription) -> None:
    endpoint = Endpoint(int(stack["endpoint_url"].rpartition(":")[2]))
    session = endpoint.session()
    resource = session.client("cloudformation", endpoint_url=endpoint.url).describe_stack_resource(
        StackName=STACK, LogicalResourceId="CursorKey"
    )
    secret = resource["StackResourceDetail"]["PhysicalResourceId"]
    secrets = session.client("secretsmanager", endpoint_url=endpoint.url)
    secrets.put_secret_value(SecretId=secret, SecretString="what comes next, for a test and nothing else")
