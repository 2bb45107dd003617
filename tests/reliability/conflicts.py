"""Operations that conflict: on the same pack, the same name, the same role, or the same shared pack.

All start from the same prepared state, so that any two of a group can run at once.
"""

from collections.abc import Sequence
from typing import Final

from tests.reliability import attesting, doors
from tests.reliability import publisher_requests as publishers
from tests.reliability import webhook_requests as webhooks
from tests.reliability.deployment import Deployment
from tests.reliability.operations import (
    ACCEPTED,
    CHANGES,
    CREATED,
    NEW,
    NEXT,
    OPERATIONS,
    STANDS,
    Operation,
    abandon_an_image,
    built,
    change,
    clone,
    consent,
    delete,
    delete_a_revision,
    delete_role,
    deprecate,
    follow,
    followed,
    lose_a_tag,
    message,
    patch,
    pin,
    put_file,
    read_lock,
    refresh,
    register,
    replace,
    reupload,
    roll_back,
    set_retention,
    set_role,
    set_scan_policy,
    upload,
    widened,
    withdraw,
    withdraw_a_revision,
)
from tests.reliability.usage_operations import last_place
from tests.service import ACME, GLOBEX, PackArchive
from tests.third_party_images import pack_image

_SAME_VERSION: Final = PackArchive(version="2.0.0", files={"README.md": b"other than next"}).build()
_SAME_NAME: Final = PackArchive(name="new", files={"README.md": b"other than new"}).build()
_OTHER_NAME: Final = PackArchive(name="other").build()
_HELD_NAME: Final = PackArchive(version="3.0.0").build()


def _shelve_one_of_the_name(deployment: Deployment) -> None:
    shelf = deployment.elsewhere.shelves.repository("team/jira", create=True)
    pack_image(b"name: new\nversion: 3.0.0\n").shelve(shelf, "3.0.0")


_PACK: Final = (
    Operation(name="reupload", function="reupload_pack", act=reupload()),
    Operation(name="reupload otherwise", function="reupload_pack", act=reupload(archive=_SAME_VERSION)),
    built("build onto", NEXT, replacing=True),
    built("build onto if match", NEXT, replacing=True, if_match='"2"'),
    Operation(name="roll back", function="replace_pack", act=roll_back),
    Operation(name="patch", function="update_pack", act=patch),
    Operation(name="deprecate", function="update_pack", act=deprecate),
    Operation(name="put file", function="put_file", act=put_file()),
    Operation(name="put file otherwise", function="put_file", act=put_file(b"# Newer\n")),
    Operation(name="change files", function="change_pack", act=change()),
    built("build changes", CHANGES, replacing=True, changes={"kind": "changes"}),
    Operation(name="delete", function="delete_pack", act=delete("slack"), deletes=True),
    Operation(name="delete if match", function="delete_pack", act=delete("slack", '"2"'), deletes=True),
    Operation(name="attach", function="set_role_packs", act=set_role(ACME, "slack")),
    Operation(name="clone", function="clone_pack", act=clone("slack"), done=CREATED),
    Operation(
        name="upload of the name",
        function="upload_pack",
        act=upload(archive=_HELD_NAME),
        done=frozenset({409}),
    ),
    Operation(
        name="clean up after a reupload",
        function="clean_up",
        act=message("orphan_image"),
        prepare=lambda deployment: abandon_an_image(deployment, reupload()),
    ),
)
_LATE: Final = (
    Operation(name="clean up", function="clean_up", act=message("orphan_image"), prepare=lose_a_tag),
    Operation(name="put file", function="put_file", act=put_file()),
    Operation(name="patch", function="update_pack", act=patch),
    Operation(name="roll back", function="replace_pack", act=roll_back),
    Operation(name="delete", function="delete_pack", act=delete("slack"), deletes=True),
    Operation(name="reupload otherwise", function="reupload_pack", act=reupload(archive=_SAME_VERSION)),
)
_NAME: Final = (
    Operation(name="upload", function="upload_pack", act=upload(), done=STANDS),
    Operation(name="upload otherwise", function="upload_pack", act=upload(archive=_SAME_NAME), done=CREATED),
    built("build", NEW, replacing=False),
    Operation(name="clone", function="clone_pack", act=clone("shared", name="new"), done=CREATED),
    Operation(
        name="create", function="create_pack", act=register({}), prepare=_shelve_one_of_the_name, done=CREATED
    ),
    Operation(name="clean up", function="clean_up", act=message("orphan_image"), prepare=abandon_an_image),
)
_ROLE: Final = (
    Operation(name="attach", function="set_role_packs", act=set_role(ACME, "jira", "slack")),
    Operation(name="exchange", function="set_role_packs", act=set_role(ACME, "shared", "slack")),
    Operation(name="detach", function="set_role_packs", act=set_role(ACME)),
    Operation(
        name="exchange if match",
        function="set_role_packs",
        act=set_role(ACME, "shared", "slack", if_match='"1"'),
    ),
    Operation(name="attach another's", function="set_role_packs", act=set_role(GLOBEX, "foreign")),
    Operation(name="delete", function="delete_pack", act=delete("slack"), deletes=True),
    Operation(name="patch", function="update_pack", act=patch),
)
# The role follows a pack that has got another image.
_PINS: Final = (
    Operation(name="refresh", function="refresh_role", act=refresh(), prepare=followed),
    Operation(name="follow", function="follow_packs", act=follow, prepare=followed, comes_again=True),
    Operation(
        name="replace",
        function="replace_pack",
        act=lambda deployment: replace(deployment, "1.0.0"),
        prepare=followed,
    ),
    Operation(name="exchange", function="set_role_packs", act=set_role(ACME, "slack"), prepare=followed),
    Operation(
        name="delete the role",
        function="delete_role",
        act=delete_role(),
        prepare=followed,
        both_may_succeed=True,
    ),
    Operation(
        name="delete the pack", function="delete_pack", act=delete("jira"), prepare=followed, deletes=True
    ),
    Operation(name="read the lock", function="get_lock", act=read_lock, prepare=followed),
    Operation(name="pin", function="set_role_packs", act=pin, prepare=followed),
    Operation(name="consent", function="refresh_role", act=consent, prepare=widened),
)
_SHARED: Final = (
    Operation(name="withdraw", function="update_pack", act=withdraw),
    Operation(name="delete", function="delete_pack", act=delete("foreign", caller=GLOBEX), deletes=True),
    Operation(name="attach own", function="set_role_packs", act=set_role(GLOBEX, "foreign")),
    Operation(name="attach", function="set_role_packs", act=set_role(ACME, "foreign")),
    Operation(name="clone", function="clone_pack", act=clone("foreign"), done=CREATED),
)
_WEBHOOK: Final = (
    Operation(
        name="change", function="webhooks", act=webhooks.change("changed"), prepare=webhooks.on_its_way
    ),
    Operation(
        name="rotate",
        function="webhooks",
        act=webhooks.of_webhook("POST", "/rotate"),
        prepare=webhooks.on_its_way,
    ),
    Operation(
        name="delete", function="webhooks", act=webhooks.of_webhook("DELETE"), prepare=webhooks.on_its_way
    ),
    Operation(
        name="deliver",
        function="deliver",
        act=webhooks.deliver,
        prepare=webhooks.on_its_way,
        comes_again=True,
        both_may_succeed=True,
    ),
)
_TRIED: Final = (
    Operation(
        name="try out",
        function="webhook_deliveries",
        act=webhooks.ask_for("test"),
        prepare=webhooks.keep,
        done=ACCEPTED,
    ),
    Operation(
        name="delete",
        function="webhooks",
        act=webhooks.of_webhook("DELETE"),
        prepare=webhooks.keep,
        both_may_succeed=True,
    ),
)
_FAILED_DELIVERY: Final = (
    Operation(
        name="deliver again",
        function="retry_delivery",
        act=webhooks.retry,
        prepare=webhooks.failed_once,
        comes_again=True,
        both_may_succeed=True,
    ),
    Operation(
        name="rotate",
        function="webhooks",
        act=webhooks.of_webhook("POST", "/rotate"),
        prepare=webhooks.failed_once,
    ),
)
# Of a pack with two revisions: the present image is withdrawn, or the one before it is deleted.
_REVISION: Final = (
    Operation(name="withdraw", function="withdraw_revision", act=withdraw_a_revision),
    Operation(name="patch", function="update_pack", act=patch),
    Operation(name="attach", function="set_role_packs", act=set_role(ACME, "slack")),
    Operation(name="pin the one before", function="set_role_packs", act=pin),
    Operation(name="clone", function="clone_pack", act=clone("slack"), done=CREATED),
    Operation(name="reupload", function="reupload_pack", act=reupload()),
    Operation(name="roll back", function="replace_pack", act=roll_back),
    Operation(name="set a retention policy", function="retention", act=set_retention),
    Operation(name="delete the one before", function="delete_revision", act=delete_a_revision, deletes=True),
)
_KEY: Final = tuple(
    OPERATIONS[name]
    for name in ("start with a key", "upload with a key", "make a key with a key", "revoke a key")
)
_POLICY: Final = tuple(
    OPERATIONS[name] for name in ("set the version policy", "set the version policy if match")
)
# Two first tokens, of repositories of one name.
_PUBLISHER: Final = (
    OPERATIONS["exchange a token"],
    Operation(
        name="exchange another token",
        function="exchange_oidc",
        act=publishers.exchange("other token"),
        prepare=publishers.keep,
    ),
    OPERATIONS["remove a publisher"],
)
_FEED: Final = tuple(
    OPERATIONS[name] for name in ("make a feed with a key", "remove a feed", "log in with a feed")
)
# They note from where a feed is used, and nothing else in the table.
_FEED_AT_DOORS: Final = (
    *(
        Operation(
            name=f"read a feed at {function}",
            function=function,
            act=doors.read_feed(path),
            prepare=doors.fed,
            both_may_succeed=True,
        )
        for function, path in (
            ("door_agent_skills", ".well-known/agent-skills/index.json"),
            ("door_bundle", "lock.json"),
            ("door_clawhub", "api/v1/whoami"),
            ("door_marketplace", "marketplace.json"),
        )
    ),
    Operation(
        name="read a feed at door_mcp",
        function="door_mcp",
        act=doors.call_feed("server/discover"),
        prepare=doors.fed,
        both_may_succeed=True,
    ),
)
# Of the pack's present image.
_STATEMENTS: Final = (
    Operation(
        name="attest",
        function="attest_image",
        act=attesting.attest,
        prepare=attesting.published,
        comes_again=True,
        both_may_succeed=True,
    ),
    Operation(
        name="delete",
        function="delete_pack",
        act=delete("slack"),
        prepare=attesting.published,
        deletes=True,
    ),
    Operation(name="reupload", function="reupload_pack", act=reupload(), prepare=attesting.published),
)
_SIGNING_KEYS: Final = (
    Operation(name="read the keys", function="signing_keys", act=attesting.read_keys, both_may_succeed=True),
)
# No image of the deployment is signed.
_SIGNATURES: Final = (
    *(OPERATIONS[name] for name in ("set the signature policy", "set the signature policy if match")),
    Operation(name="attach", function="set_role_packs", act=set_role(ACME, "jira")),
    Operation(
        name="create", function="create_pack", act=register({}), prepare=_shelve_one_of_the_name, done=CREATED
    ),
    Operation(name="clone", function="clone_pack", act=clone("jira", name="new"), done=CREATED),
)
# Of one pack: its overrides, and what is judged by them.
_SCANS: Final = (
    OPERATIONS["override a finding"],
    OPERATIONS["scan again"],
    Operation(name="patch", function="update_pack", act=patch),
    Operation(name="set the scan policy", function="policies", act=set_scan_policy),
)
# Each of another name, so that only the number of packs stands between them.
_LAST_PLACE: Final = (
    Operation(
        name="upload to the last place", function="upload_pack", act=upload(), prepare=last_place, done=STANDS
    ),
    Operation(
        name="clone to the last place",
        function="clone_pack",
        act=clone("shared"),
        prepare=last_place,
        done=CREATED,
    ),
    built("build to the last place", _OTHER_NAME, replacing=False, after=last_place),
    Operation(name="delete", function="delete_pack", act=delete("slack"), prepare=last_place, deletes=True),
)
CONFLICTS: Final[dict[str, Sequence[Operation]]] = {
    "pack": _PACK,
    "pack whose tag is late": _LATE,
    "name": _NAME,
    "role": _ROLE,
    "pins": _PINS,
    "shared pack": _SHARED,
    "revision": _REVISION,
    "key": _KEY,
    "webhook": _WEBHOOK,
    "webhook that is tried out": _TRIED,
    "delivery that failed": _FAILED_DELIVERY,
    "policy": _POLICY,
    "publisher": _PUBLISHER,
    "feed": _FEED,
    "feed at the doors": _FEED_AT_DOORS,
    "statements": _STATEMENTS,
    "signing keys": _SIGNING_KEYS,
    "signature policy": _SIGNATURES,
    "scan": _SCANS,
    "last place": _LAST_PLACE,
}
