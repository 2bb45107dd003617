"""Commands about packs, deletions, images and dead letters."""

import argparse
from typing import Final

from packyard.packs.pack import Tier
from packyard.packs.timestamp import format_timestamp
from packyard_admin.admin import Admin
from packyard_admin.operator import operator_named
from packyard_cli.context import Context
from packyard_cli.packs import confirm
from packyard_cli.result import Result, table

_MOST_DEAD_LETTERS: Final = 1000


def set_tier(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Set who vouches for a pack."""
    pack = admin.packs.set_tier(options.pack, Tier(options.tier), actor=operator_named(options.by))
    return Result(
        document={
            "id": pack.id,
            "org_id": pack.org_id,
            "name": pack.name,
            "tier": pack.tier.value,
            "revision": pack.revision,
        },
        lines=table(
            [[pack.name, pack.tier, str(pack.revision), pack.id]], heading=("NAME", "TIER", "REVISION", "ID")
        ),
        essence=[pack.id],
    )


def list_deletions(admin: Admin, _: argparse.Namespace, __: Context) -> Result:
    """List packs that are being deleted, the longest waiting first."""
    views = [
        {
            "id": deletion.pack.id,
            "org_id": deletion.pack.org_id,
            "name": str(deletion.pack.name),
            "asked_at": format_timestamp(deletion.asked_at),
            "actor": deletion.actor,
        }
        for deletion in admin.packs.pending_deletions()
    ]
    rows = [[view["name"], view["org_id"], view["asked_at"], view["actor"], view["id"]] for view in views]
    return Result(
        document={"deletions": views},
        lines=table(rows, heading=("NAME", "ORGANISATION", "ASKED", "BY", "ID"))
        or ["No pack is being deleted."],
        essence=[view["id"] for view in views],
    )


def retry_deletion(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Continue a deletion now."""
    admin.packs.retry_deletion(options.pack, queue=admin.cleanup_queue)
    return Result(
        document={"id": options.pack, "enqueued": True},
        lines=[
            f"The deletion of {options.pack} is enqueued. packyard admin deletion list shows when it is done."
        ],
        essence=[options.pack],
    )


def check_images(admin: Admin, _: argparse.Namespace, __: Context) -> Result:
    """List images that no pack uses, and packs whose image is missing."""
    unused, lost = list(admin.images.unused()), list(admin.images.lost())
    lines = [f"unused: {image.repository}@{image.digests[0]}" for image in unused]
    lines += [
        f"lost: {pack.name} {pack.version} of {pack.org_id}, {pack.image_digest} ({pack.id})" for pack in lost
    ]
    return Result(
        document={
            "unused": [{"repository": image.repository, "digests": list(image.digests)} for image in unused],
            "lost": [
                {
                    "id": pack.id,
                    "org_id": pack.org_id,
                    "name": pack.name,
                    "version": str(pack.version),
                    "image_digest": pack.image_digest,
                }
                for pack in lost
            ],
        },
        lines=lines or ["Every image is used by a pack, and every pack has its image."],
        essence=lines,
    )


def clean_up_images(admin: Admin, options: argparse.Namespace, context: Context) -> Result:
    """Remove images that no pack uses, after the operator has agreed."""
    queue, unused = admin.cleanup_queue, list(admin.images.unused())
    if unused:
        confirm(f"Remove {len(unused)} images that no pack uses?", options, context)
        admin.images.enqueue(unused, queue)
    return Result(
        document={"enqueued": len(unused)},
        lines=["Every image is used by a pack."]
        if not unused
        else [
            f"The removal of {len(unused)} images is enqueued. packyard admin image check shows what is left."
        ],
        essence=[str(len(unused))],
    )


def rebuild(admin: Admin, _: argparse.Namespace, __: Context) -> Result:
    """Make for packs that are older what is derived: the index of words, published versions, scans."""
    done = admin.rebuilder.rebuild()
    skipped = f", {done.skipped} of them of packs whose name is not known any more" if done.skipped else ""
    return Result(
        document={
            "packs": done.packs,
            "versions": done.versions,
            "skipped": done.skipped,
            "scans": done.scans,
        },
        lines=[
            f"{done.packs} packs can be found by their words.",
            f"{done.versions} publications are recorded{skipped}.",
            f"{done.scans} images will be scanned by the next walks.",
        ],
        essence=[str(done.packs)],
    )


def list_dead_letters(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Show the dead letters of a queue, which stay there."""
    queue = admin.deployment.queue(options.of)
    letters = admin.dead_letters(queue).look(limit=_MOST_DEAD_LETTERS)
    rows = [
        [letter.message_id, format_timestamp(letter.sent_at), " ".join(letter.body.splitlines())]
        for letter in letters
    ]
    return Result(
        document={
            "queue": queue.name,
            "dead_letters": [
                {
                    "message_id": letter.message_id,
                    "sent_at": format_timestamp(letter.sent_at),
                    "body": letter.body,
                }
                for letter in letters
            ],
        },
        lines=table(rows, heading=("MESSAGE", "SENT", "BODY")) or ["No dead letters."],
        essence=[letter.message_id for letter in letters],
    )


def redrive(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Send the dead letters of a queue back to it."""
    queue = admin.deployment.queue(options.of)
    moved = admin.dead_letters(queue).redrive(queue.url, limit=_MOST_DEAD_LETTERS)
    return Result(
        document={"queue": queue.name, "moved": moved},
        lines=[f"{moved} dead letters are back in the {queue.name} queue."],
        essence=[str(moved)],
    )
