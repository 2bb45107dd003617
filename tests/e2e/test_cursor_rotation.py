"""Lists page by page on the deployed stack, while the secret that signs their cursors is rotated."""

from local.aws import Endpoint
from local.deployment import STACK
from local.stack import StackDescription
from tests.e2e.client import Client


def test_a_client_that_pages_does_not_notice_a_rotation(stack: StackDescription) -> None:
    acme = Client.of(stack, "acme")
    for name in ("cursor-a", "cursor-b", "cursor-c"):
        acme.published(name)
    path, names, cursor = "/packs?owned=true&q=cursor-&limit=1", [], ""
    while cursor is not None:
        page = acme.call("GET", path + (f"&cursor={cursor}" if cursor else ""))
        assert page.status == 200, page.body
        names += [pack["name"] for pack in page.body["packs"]]
        cursor = page.body.get("next_cursor")
        if len(names) == 1:
            _rotate(stack)

    assert names == ["cursor-a", "cursor-b", "cursor-c"]


def _rotate(stack: StackDescription) -> None:
    endpoint = Endpoint(int(stack["endpoint_url"].rpartition(":")[2]))
    session = endpoint.session()
    resource = session.client("cloudformation", endpoint_url=endpoint.url).describe_stack_resource(
        StackName=STACK, LogicalResourceId="CursorKey"
    )
    secret = resource["StackResourceDetail"]["PhysicalResourceId"]
    secrets = session.client("secretsmanager", endpoint_url=endpoint.url)
    secrets.put_secret_value(SecretId=secret, SecretString="what comes next, for a test and nothing else")
