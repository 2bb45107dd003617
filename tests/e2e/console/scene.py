"""What there is to look at: an organisation with packs, a role, keys, a webhook and a feed, and a hostile pack."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from local.aws import Endpoint
from local.login_links import console_url
from local.sam_deployment import STACK
from local.seeds import OPERATOR, PLATFORM, new_organisation, seeding_events
from local.stack import StackDescription
from tests.e2e.client import Client
from tests.service import PackArchive

from packyard.messaging.dead_letters import DeadLetters
from packyard.messaging.preparation_queue import ImageToPrepare, message_body
from packyard.store.deletions import DeletionStore
from packyard.store.table import Table
from packyard.store.tenants import TenantStore
from packyard_admin.deployment import of_stack

_README: Final = b"""# Slack

Read and post messages for the **support team**.

| what | where |
| --- | --- |
| read | `conversations.history` |
| post | `chat.postMessage` |

1. Read the thread.
2. Answer in it.

```python
def answer(thread: str) -> None:
    post(thread, "We are looking into it.")
```

More in [the guide](guides/post.md) and at <https://slack.example/docs>.
"""
_GUIDE: Final = b"# Post a message\n\nPost in the thread that the question came in.\n"
_SCRIPT: Final = b"import sys\n\n\ndef main() -> int:\n    print('ready', file=sys.stderr)\n    return 0\n"
# Runs if a page takes what a pack says for its own.
_PWN: Final = "window.__pwned=1;alert(1)"
_HOSTILE_README: Final = f"""# Hello <script>{_PWN}</script>

<img src=x onerror="{_PWN}"> <svg onload="{_PWN}"><script>{_PWN}</script></svg>
<iframe srcdoc="<script>parent.{_PWN}</script>"></iframe> <style>body{{display:none}}</style>
<form action="https://evil.example/"><input name="key"><button>Sign in</button></form>
<a href="javascript:{_PWN}">one</a> <math><mtext><table><mglyph><style><img src onerror={_PWN}>
<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/">

[two](javascript:{_PWN}) ![three](https://evil.example/pixel.png) [four](https://evil.example/?q=secret)
<javascript:{_PWN}> ![](data:image/svg+xml;base64,PHN2Zy8+)

```html"><img src=x onerror={_PWN}>
<script>{_PWN}</script>
```
""".encode()
_SVG: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" onload="{_PWN}"><script>{_PWN}</script></svg>'.encode()
)
_HTML: Final = f"<!doctype html><script>{_PWN}</script><h1>Your key, please</h1>".encode()
HOSTILE_FILES: Final[Mapping[str, bytes]] = {
    "README.md": _HOSTILE_README,
    "data/page.html": _HTML,
    "data/picture.svg": _SVG,
    f"guides/<img src=x onerror={_PWN.partition(';')[0]}>.md": b"# A name\n",
    "guides/'; alert(1); '.txt": b"</pre><script>window.__pwned=1</script>\n",
    "data/a b #1?&+.txt": b"plain\n",
    "data/unseen.txt": "safe\u202efdp.exe\u200b\n".encode(),
    "guides/empty.md": b"",
    "data/binary.bin": bytes(range(256)) * 8,
}


def http_capability(name: str, domain: str, *methods: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "http",
        "allow": [{"domains": [domain], "methods": list(methods), "paths": ["/api/**"]}],
    }


READS: Final = http_capability("slack-api", "slack.com", "GET")
WRITES: Final = http_capability("slack-api", "slack.com", "GET", "POST")
FILES: Final = http_capability("slack-files", "files.slack.com", "GET")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An organisation with something in it.

    Attributes:
        client: Asks as the organisation, with its first key.
        url: The console's address.
        slack: A pack with two revisions. The role `support` pins the first.
        hostile: A pack that tries what it can.
        operator_key: The key of the stack's operator.
    """

    client: Client
    url: str
    slack: str
    hostile: str
    operator_key: str

    @property
    def slug(self) -> str:
        """The organisation's."""
        return str(self.client.call("GET", f"/packs/{self.slack}").body["org_id"]).replace("_", "-")

    @property
    def key(self) -> str:
        """The organisation's first key, which may do everything."""
        assert self.client.key is not None
        return self.client.key

    def new_key(self, label: str, *scopes: str) -> dict[str, Any]:
        """Make another key, and return it with its secret."""
        made = self.client.call(
            "POST", "/keys", json={"label": label, "scopes": list(scopes or ["full_access"])}
        )
        assert made.status == 201, made.body
        body: dict[str, Any] = made.body
        return body

    @classmethod
    def of(cls, stack: StackDescription) -> "Scene":
        """Set the scene."""
        client = empty_organisation(stack)
        slack = published(client, version("1.4.0", READS))
        client.published("jira")
        client.published("github", visibility="community")
        hostile = published(
            client,
            PackArchive(
                name="hostile",
                version="1.0.0",
                files=HOSTILE_FILES,
                fields={"display_name": "<b>Hostile</b>", "description": f"<script>{_PWN}</script>"},
            ),
        )
        done(client, "PUT", "/agent-roles/support/packs", {"packs": [{"id": slack}]})
        again = {"archive": ("pack.tar.gz", version("1.5.0", WRITES, FILES).build(), "application/gzip")}
        assert client.call("POST", f"/packs/{slack}/upload", fields=again).status == 200
        done(
            client, "POST", "/keys", {"label": "CI of slack", "scopes": ["caps:write"], "pack_name": "slack"}
        )
        done(client, "POST", "/webhooks", {"url": "http://127.0.0.1:9/hook", "types": ["role.stale"]})
        done(client, "POST", "/feeds", {"role_id": "support", "label": "laptops of the support team"})
        claims = {"repository": "acme/slack-pack", "workflow": "release.yml"}
        done(
            client,
            "POST",
            "/trusted-publishers",
            {"pack_name": "slack", "issuer": "github", "claims": claims},
        )
        return cls(
            client=client,
            url=console_url(stack),
            slack=slack,
            hostile=hostile,
            operator_key=stack["orgs"][PLATFORM]["keys"][OPERATOR],
        )

    @contextmanager
    def with_something_stuck(self) -> Iterator[None]:
        """Let the deletion of a pack `going` wait, and a message about `slack` be given up, while the block lasts.

        The deletion is as a process leaves it that dies right after it has decided it.
        """
        going = self.client.published("going")
        deletions = DeletionStore(table=_table(self.client.stack), events=seeding_events())
        deletions.begin(
            going["id"], org_id=going["org_id"], actor="key:gone", if_match=None, now=datetime.now(UTC)
        )
        digest = self.client.call("GET", f"/packs/{self.slack}").body["image_digest"]
        message = ImageToPrepare(pack_id=self.slack, revision=2, digest=digest)
        sqs, cloudformation = (_aws(self.client.stack, name) for name in ("sqs", "cloudformation"))
        queue = of_stack(STACK, cloudformation=cloudformation).queue("preparation")
        sqs.send_message(QueueUrl=queue.dead_letters_url, MessageBody=message_body(message))
        try:
            yield
        finally:
            assert self.client.call("DELETE", f"/packs/{going['id']}").status == 200
            DeadLetters(client=sqs, url=queue.dead_letters_url).redrive(queue.url, limit=10)


def empty_organisation(stack: StackDescription) -> Client:
    """Return a client of a new organisation, in which there is nothing."""
    tenants = TenantStore(table=_table(stack), events=seeding_events())
    made = new_organisation(tenants=tenants, clock=lambda: datetime.now(UTC))
    client = Client(stack, urllib3.PoolManager(retries=False, timeout=60))
    return replace(client, key=made["keys"]["full_access"])


def _table(stack: StackDescription) -> Table:
    return Table(client=_aws(stack, "dynamodb"), name=stack["table"], sleep=time.sleep)


def _aws(stack: StackDescription, service: Any) -> Any:
    endpoint = Endpoint(urlsplit(stack["endpoint_url"]).port or 0)
    return endpoint.session().client(service, endpoint_url=endpoint.url)


def version(number: str, *capabilities: Mapping[str, Any], name: str = "slack") -> PackArchive:
    """Return a version of the pack `slack`, or of one like it."""
    newer = number != "1.4.0"
    return PackArchive(
        name=name,
        version=number,
        files={
            "README.md": _README,
            "guides/post.md": _GUIDE.replace(b"Post in", b"Always post in") if newer else _GUIDE,
            "guides/threads.md" if newer else "guides/channels.md": b"# More\n",
            "scripts/main.py": _SCRIPT,
        },
        fields={
            "display_name": name.capitalize(),
            "description": "Read and post messages for the support team.",
            "category": "messaging",
            "capabilities": list(capabilities),
        },
    )


def published(client: Client, pack: PackArchive) -> str:
    """Publish a pack, and return its id."""
    reply = client.upload(pack.build())
    assert reply.status == 201, reply.body
    return str(reply.body["id"])


def done(client: Client, method: str, path: str, body: object) -> Any:
    """Send a request that succeeds, and return the body of its answer."""
    reply = client.call(method, path, json=body)
    assert reply.status in (200, 201), reply.body
    return reply.body
