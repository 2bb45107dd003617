"""Agent roles: the ordered list of packs that an organisation has attached to a role."""

import re
from dataclasses import dataclass, replace
from typing import Final

# A transaction has at most 100 actions (API_TransactWriteItems): one for the role, one for its history, and two for
# each pack that is attached or detached.
MAX_PACKS: Final = 49

ROLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def is_role_id(text: str) -> bool:
    """Return whether `text` is 1 to 128 letters, digits, `_`, `.` and `-`, the first of them a letter or a digit."""
    return ROLE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The packs of one role.

    Attributes:
        org_id: The organisation whose role it is.
        role_id: The id that the client gave; unique within the organisation.
        pack_ids: In the order given, each once.
        revision: Every change adds 1; 0 for a role whose packs were never set.
    """

    org_id: str
    role_id: str
    pack_ids: tuple[str, ...] = ()
    revision: int = 0

    def with_packs(self, pack_ids: tuple[str, ...]) -> "Role":
        """Return the role's next revision, with these packs in place of the present ones."""
        return replace(self, pack_ids=pack_ids, revision=self.revision + 1)
