"""What the operator sees, in requests and answers."""

from collections.abc import Mapping
from typing import Any, Final

from packyard.http.fields import Field
from packyard.http.page_limit import with_next
from packyard.http.usage import usage_view
from packyard.messaging.dead_letters import Glance
from packyard.operations.letter_subjects import subject_of
from packyard.operations.operator_view import Deletions, OrgUsage
from packyard.packs.timestamp import format_timestamp
from packyard.packs.usage import Quota
from packyard.store.cursor import Binding
from packyard.store.cursors import Cursors
from packyard.store.deletions import Deletion

ORGANISATION: Final = Field(
    name="org",
    required=True,
    example="acme",
    description="The organisation, by its slug or its id.",
)


def deletions_view(found: Deletions, bound: Binding, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Args:
        found: The page.
        bound: What the list's cursors are valid for.
        cursors: Encodes cursors.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body = {"deletions": [_deletion(deletion, found.slugs) for deletion in found.page.deletions]}
    return with_next(body, found.page.next_position, cursors, bound)


def dead_letters_view(queues: Mapping[str, Glance]) -> dict[str, Any]:
    """Return what was given up, by queue: of each letter what it is about, and nothing of what it holds."""
    return {"queues": [_queue(name, glance) for name, glance in queues.items()]}


def organisation_view(found: OrgUsage) -> dict[str, Any]:
    """Return an organisation, what it uses, and whose limits hold."""
    usage = usage_view(found.usage)
    for quota in Quota:
        usage[quota.value]["set"] = "default" if found.own.of(quota) is None else "own"
    org = found.org
    end = {} if org.trial_ends_at is None else {"trial_ends_at": format_timestamp(org.trial_ends_at)}
    return {
        "id": org.org_id,
        "slug": org.slug,
        "billing": org.billing.value,
        "platform": org.platform,
        **end,
        "usage": usage,
    }


def _deletion(deletion: Deletion, slugs: Mapping[str, str]) -> dict[str, Any]:
    pack = deletion.pack
    slug = {"org_slug": slugs[pack.org_id]} if pack.org_id in slugs else {}
    return {
        "pack_id": pack.id,
        "name": pack.name,
        "org_id": pack.org_id,
        **slug,
        "asked_at": format_timestamp(deletion.asked_at),
    }


def _queue(name: str, glance: Glance) -> dict[str, Any]:
    letters = sorted(glance.letters, key=lambda letter: (letter.sent_at, letter.message_id))
    return {
        "name": name,
        "count": glance.count,
        "letters": [
            {
                "message_id": letter.message_id,
                "sent_at": format_timestamp(letter.sent_at),
                "subject": subject_of(name, letter.body),
            }
            for letter in letters
        ],
    }
