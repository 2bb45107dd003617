"""Operations that conflict: on the same pack, the same name, the same role, or the same shared pack.

All start from the same prepared state, so that any two of a group can run at once.
"""

from collections.abc import Sequence
from typing import Final

from tests.reliability.deployment import Deployment
from tests.reliability.operations import (
    CHANGES,
    CREATED,
    KEY,
    NEW,
    NEXT,
    STANDS,
    Operation,
    abandon_an_image,
    built,
    change,
    clone,
    delete,
    delete_role,
    follow,
    followed,
    keep_a_key,
    lose_a_tag,
    make_key,
    message,
    patch,
    put_file,
    read_lock,
    refresh,
    register,
    replace,
    reupload,
    revoke_key,
    roll_back,
    set_role,
    upload,
    withdraw,
)
from tests.service import ACME, GLOBEX, PackArchive
from tests.third_party_images import pack_image

_SAME_VERSION: Final = PackArchive(version="2.0.0", files={"README.md": b"other than next"}).build()
_SAME_NAME: Final = PackArchive(name="new", files={"README.md": b"other than new"}).build()
_HELD_NAME: Final = PackArchive(version="3.0.0").build()


def _shelve_one_of_the_name(deployment: Deployment) -> None:
    shelf = deployment.elsewhere.shelves.repository("team/jira", create=True)
    pack_image(b"name: new\nversion: 3.0.0\n").shelve(shelf, "3.0.0")


_PACK: Final = (
    Operation(name="reupload", act=reupload()),
    Operation(name="reupload otherwise", act=reupload(archive=_SAME_VERSION)),
    built("build onto", NEXT, replacing=True),
    built("build onto if match", NEXT, replacing=True, if_match='"2"'),
    Operation(name="roll back", act=roll_back),
    Operation(name="patch", act=patch),
    Operation(name="put file", act=put_file()),
    Operation(name="put file otherwise", act=put_file(b"# Newer\n")),
    Operation(name="change files", act=change()),
    built("build changes", CHANGES, replacing=True, changes={"kind": "changes"}),
    Operation(name="delete", act=delete("slack"), deletes=True),
    Operation(name="delete if match", act=delete("slack", '"2"'), deletes=True),
    Operation(name="attach", act=set_role(ACME, "slack")),
    Operation(name="clone", act=clone("slack"), done=CREATED),
    Operation(name="upload of the name", act=upload(archive=_HELD_NAME), done=frozenset({409})),
    Operation(
        name="clean up after a reupload",
        act=message("orphan_image"),
        prepare=lambda deployment: abandon_an_image(deployment, reupload()),
    ),
)
_LATE: Final = (
    Operation(name="clean up", act=message("orphan_image"), prepare=lose_a_tag),
    Operation(name="put file", act=put_file()),
    Operation(name="patch", act=patch),
    Operation(name="roll back", act=roll_back),
    Operation(name="delete", act=delete("slack"), deletes=True),
    Operation(name="reupload otherwise", act=reupload(archive=_SAME_VERSION)),
)
_NAME: Final = (
    Operation(name="upload", act=upload(), done=STANDS),
    Operation(name="upload otherwise", act=upload(archive=_SAME_NAME), done=CREATED),
    built("build", NEW, replacing=False),
    Operation(name="clone", act=clone("shared", name="new"), done=CREATED),
    Operation(name="create", act=register({}), prepare=_shelve_one_of_the_name, done=CREATED),
    Operation(name="clean up", act=message("orphan_image"), prepare=abandon_an_image),
)
_ROLE: Final = (
    Operation(name="attach", act=set_role(ACME, "jira", "slack")),
    Operation(name="exchange", act=set_role(ACME, "shared", "slack")),
    Operation(name="detach", act=set_role(ACME)),
    Operation(name="exchange if match", act=set_role(ACME, "shared", "slack", if_match='"1"')),
    Operation(name="attach another's", act=set_role(GLOBEX, "foreign")),
    Operation(name="delete", act=delete("slack"), deletes=True),
    Operation(name="patch", act=patch),
)
# The role follows a pack that has got another image.
_PINS: Final = (
    Operation(name="refresh", act=refresh(), prepare=followed),
    Operation(name="follow", act=follow, prepare=followed, comes_again=True),
    Operation(name="replace", act=lambda deployment: replace(deployment, "1.0.0"), prepare=followed),
    Operation(name="exchange", act=set_role(ACME, "slack"), prepare=followed),
    Operation(name="delete the role", act=delete_role(), prepare=followed),
    Operation(name="delete the pack", act=delete("jira"), prepare=followed, deletes=True),
    Operation(name="read the lock", act=read_lock, prepare=followed),
)
_SHARED: Final = (
    Operation(name="withdraw", act=withdraw),
    Operation(name="delete", act=delete("foreign", caller=GLOBEX), deletes=True),
    Operation(name="attach own", act=set_role(GLOBEX, "foreign")),
    Operation(name="attach", act=set_role(ACME, "foreign")),
    Operation(name="clone", act=clone("foreign"), done=CREATED),
)
_KEY: Final = (
    Operation(name="make a key with a key", act=make_key(KEY), done=CREATED, repeated=frozenset({201, 409})),
    Operation(name="revoke a key", act=revoke_key, prepare=keep_a_key),
)
CONFLICTS: Final[dict[str, Sequence[Operation]]] = {
    "pack": _PACK,
    "pack whose tag is late": _LATE,
    "name": _NAME,
    "role": _ROLE,
    "pins": _PINS,
    "shared pack": _SHARED,
    "key": _KEY,
}
