"""Agent roles, as far as packs go: which packs an organisation's operators have attached to a role, in their order."""

import re
from dataclasses import dataclass, replace
from typing import Final

# A transaction takes 100 actions (API_TransactWriteItems): the role, its history, and two for each pack that comes or
# goes.
MAX_PACKS: Final = 49

_ROLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def is_role_id(text: str) -> bool:
    """Return whether `text` is 1 to 128 letters, digits, `_`, `.` and `-`, the first of them a letter or a digit."""
    return _ROLE_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The packs of one role.

    Attributes:
        org_id: The organisation whose role it is.
        role_id: What the role service calls it; unique within the organisation.
        pack_ids: In the order given, each once.
        revision: One more with every change; 0 for a role whose packs were never set.
    """

    org_id: str
    role_id: str
    pack_ids: tuple[str, ...] = ()
    revision: int = 0

    def with_packs(self, pack_ids: tuple[str, ...]) -> "Role":
        """Return the role's next revision, with these packs instead."""
        return replace(self, pack_ids=pack_ids, revision=self.revision + 1)
