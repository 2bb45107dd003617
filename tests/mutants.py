"""`python -m tests.mutants [NAME ...]`: put known faults into the product, one at a time, and see the tests find them.

Each mutant replaces one text in one file of a copy of this tree; the working tree stays as it is. The tests named for
it run there, up to the first that fails. The table says which test that was. The exit status is 1 when a mutant
survives, and 2 when one does not apply any more: its text has to be found exactly once.

`--write` puts the table into docs/reliability.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_PROJECT: Final = Path(__file__).parents[1]
_DOCUMENT: Final = _PROJECT / "docs" / "reliability.md"
_START: Final = "<!-- written by `python -m tests.mutants --write` -->\n"
_END: Final = "<!-- end of the mutants -->\n"
_PACKAGE: Final = Path("layers/packyard/python/packyard")
_SECONDS: Final = 900
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:\[| -|$)", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """A fault.

    Attributes:
        name: What is wrong with the product.
        path: The file, below the package.
        before: The text that is replaced. The file has it exactly once.
        after: What replaces it.
        tests: What finds the fault: arguments of pytest.
    """

    name: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]

    def applied_to(self, tree: Path) -> str:
        """Return the file's text with the fault in it.

        Raises:
            ValueError: The text to be replaced is not there exactly once.
        """
        text = (tree / _PACKAGE / self.path).read_text()
        if (found := text.count(self.before)) != 1:
            raise ValueError(f"{self.name}: {self.path} has the text {found} times, not once:\n{self.before}")
        return text.replace(self.before, self.after)


_STORE: Final = "tests/integration/store/"
_OPERATIONS: Final = "tests/integration/operations/"
_PULL: Final = "tests/integration/registry/"

MUTANTS: Final = (
    Mutant(
        "a publisher claims a repository while a cleaner is at work in it",
        "store/repositories.py",
        "OR purging_until < :now)",
        "OR purging_until < :now OR :now <= :until)",
        (_STORE + "test_publish_and_purge_orders.py",),
    ),
    Mutant(
        "a new pack's row is written without the check of its claim",
        "store/packs.py",
        '"attribute_not_exists(pack_id) AND epoch = :epoch"',
        '"attribute_not_exists(pack_id) AND epoch <> :pack_id"',
        (_STORE + "test_publish_and_purge_orders.py",),
    ),
    Mutant(
        "a pack's next revision is written without the check of its claim",
        "store/packs.py",
        '"pack_id = :pack_id AND epoch = :epoch"',
        '"pack_id = :pack_id AND epoch <> :pack_id"',
        (_STORE + "test_change_and_purge_orders.py",),
    ),
    Mutant(
        "a cleaner begins while a publisher's claim stands",
        "store/repositories.py",
        "OR claimed_until < :now)",
        "OR attribute_exists(claimed_until))",
        (_STORE + "test_publish_and_purge_orders.py::test_a_publisher_at_work_is_never_disturbed",),
    ),
    Mutant(
        "a cleaner looks at the current image only, not at the history",
        "store/packs.py",
        "return bool(self.used_digests(pack_id, [digest]))",
        "return (pack := self.get(pack_id)) is not None and pack.image_digest == digest",
        (_STORE + "test_pack_changes.py",),
    ),
    Mutant(
        "a cleaner does not look again once it holds the repository",
        "operations/clean_up.py",
        "unused = self._unused(image, purge.holder)",
        "unused = image.digests",
        (_OPERATIONS + "test_clean_up.py",),
    ),
    Mutant(
        "the version's tag is set before the row is written",
        "operations/publish.py",
        "                self._push(built, pack, due_at)\n",
        "                self._push(built, pack, due_at)\n"
        "                self.images.tag(built.image.index, pack=pack)\n",
        (_OPERATIONS + "test_staged_upload_crashes.py",),
    ),
    Mutant(
        "an image's cleanup message is sent after its push",
        "operations/built_images.py",
        "        repository = self._enqueued(image.digests, pack, due_at)\n"
        "        send = partial(self.registry.push, repository, image, uploads=uploads)\n        try:\n",
        "        repository = self._repository(pack.org_id, pack.name)\n\n"
        "        def send() -> None:\n"
        "            self.registry.push(repository, image, uploads=uploads)\n"
        "            self._enqueued(image.digests, pack, due_at)\n\n"
        "        try:\n",
        (_OPERATIONS + "test_reupload_pack.py",),
    ),
    Mutant(
        "a role's reference is not counted",
        "store/roles.py",
        '= {":one": 1, ":active"',
        '= {":one": 0, ":active"',
        (_OPERATIONS + "test_agent_roles.py",),
    ),
    Mutant(
        "a pin moves to wider capabilities without consent",
        "operations/consent.py",
        "difference.widened and agreed is None",
        "difference.widened and agreed is not None",
        (_OPERATIONS + "test_role_pins.py",),
    ),
    Mutant(
        "a pin follows to wider capabilities",
        "operations/follow.py",
        "if move.difference.widened:",
        "if move.from_revision < 0:",
        (_OPERATIONS + "test_follow.py",),
    ),
    Mutant(
        "a role shows a pack as it is now, and not as it is pinned",
        "operations/role_packs.py",
        "        pin=pin,\n        stale=pack.image_digest",
        "        pin=pin.at(pack),\n        stale=pack.image_digest",
        (_OPERATIONS + "test_role_pins.py",),
    ),
    Mutant(
        "consent to another revision counts",
        "operations/consent.py",
        "(agreed is not None and agreed != revision)",
        "(agreed is not None and agreed < 0)",
        (_OPERATIONS + "test_role_pins.py",),
    ),
    Mutant(
        "a dry run claims the pack's repository",
        "operations/dry_run.py",
        '        return Claim(org_id=pack.org_id, name=pack.name, epoch="")',
        "        return super().claim_for_change(pack, **_)",
        (_OPERATIONS + "test_dry_run.py",),
    ),
    Mutant(
        "a dry run does not see that a name is taken",
        "operations/dry_run.py",
        "if holder is not None:",
        "if holder is not None and not holder:",
        (_OPERATIONS + "test_dry_run.py",),
    ),
    Mutant(
        "a login at the door opens every revision of a pack that its role pins",
        "operations/served_images.py",
        "if digest == image.digest and image not in self.trees:",
        "if image not in self.trees:",
        (_OPERATIONS + "test_distribution_door.py",),
    ),
    Mutant(
        "the skill artifact has any tag of its form",
        "operations/served_artifacts.py",
        "if tag != tag_of(image.reference.tag):",
        'if not tag.startswith("skill-"):',
        (_OPERATIONS + "test_distribution_door.py",),
    ),
    Mutant(
        "a pack that a role of its owner holds can be deleted",
        "store/deletions.py",
        "OR own_refs = :zero)",
        "OR own_refs >= :zero)",
        (_OPERATIONS + "test_role_races.py",),
    ),
    Mutant(
        "a community pack that another organisation's role holds can be withdrawn",
        "store/packs.py",
        'condition += f" AND {NO_FOREIGN_REFERENCES}"',
        'condition += " AND (attribute_exists(PK) OR revision = :none)"',
        (_OPERATIONS + "test_role_races.py",),
    ),
    Mutant(
        "an idempotency key is taken from a request that is at work",
        "store/idempotency_records.py",
        "AND lease_until < :instant",
        "AND (lease_until < :instant OR lease_until >= :instant)",
        (_OPERATIONS + "test_idempotency_key.py",),
    ),
    Mutant(
        "a blob's digest is not verified",
        "registry/third_party/repository.py",
        'if f"sha256:{sha256.hexdigest()}" != descriptor.digest:',
        "if not sha256.hexdigest():",
        (_PULL + "test_pull_from_a_hostile_registry.py", _PULL + "test_copy.py"),
    ),
    # Ten more.
    Mutant(
        "the answer to a Range is not checked",
        "registry/third_party/repository.py",
        "if stated.lower() != byte_range:",
        "if not byte_range:",
        (_PULL + "test_parts_of_blobs.py",),
    ),
    Mutant(
        "an organisation can replace another one's pack",
        "operations/owned_pack.py",
        "if pack is None or pack.org_id != actor.org_id or pack.status",
        "if pack is None or pack.status",
        (_OPERATIONS + "test_reupload_pack.py",),
    ),
    Mutant(
        "a pack is shown to whoever has its id",
        "operations/read.py",
        "pack.status is PackStatus.DELETED or not is_visible(pack, caller)",
        "pack.status is PackStatus.DELETED",
        (_OPERATIONS + "test_get_pack.py",),
    ),
    Mutant(
        "an archive is staged before its cleanup message is sent",
        "operations/publish.py",
        "        self.cleanup_queue.enqueue(StagedArchive(key=key, due_at=now + self.deadline), now=now)\n"
        "        self.staging.put(key, archive)\n",
        "        self.staging.put(key, archive)\n"
        "        self.cleanup_queue.enqueue(StagedArchive(key=key, due_at=now + self.deadline), now=now)\n",
        (_OPERATIONS + "test_reupload_pack.py",),
    ),
    Mutant(
        "a deletion leaves the images of a pack that we built",
        "operations/delete.py",
        "purge = None if others else self._purge(pack)",
        "purge = None",
        (_OPERATIONS + "test_delete_pack.py",),
    ),
    Mutant(
        "a deletion's message is sent after the decision",
        "operations/delete.py",
        "        self.cleanup_queue.enqueue(PackDeletion(pack_id=pack_id, due_at=now + _FIRST_RETRY_AFTER), now=now)\n"
        "        deletion = self.deletions.begin(\n"
        "            pack_id,\n"
        "            org_id=caller.org_id,\n"
        "            actor=caller.principal,\n"
        "            if_match=if_match,\n"
        "            now=now,\n"
        "            name=caller.pack_name,\n"
        "        )\n",
        "        deletion = self.deletions.begin(\n"
        "            pack_id,\n"
        "            org_id=caller.org_id,\n"
        "            actor=caller.principal,\n"
        "            if_match=if_match,\n"
        "            now=now,\n"
        "            name=caller.pack_name,\n"
        "        )\n"
        "        self.cleanup_queue.enqueue(PackDeletion(pack_id=pack_id, due_at=now + _FIRST_RETRY_AFTER), now=now)\n",
        (_OPERATIONS + "test_create_pack.py", _OPERATIONS + "test_delete_pack.py"),
    ),
    Mutant(
        "a build commits although its lease has passed to another",
        "store/uploads.py",
        '            condition=_HOLDS_LEASE,\n            values={\n                ":done": UploadStatus.DONE.value',
        '            condition="attribute_exists(PK) OR lease = :lease",\n'
        '            values={\n                ":done": UploadStatus.DONE.value',
        (_STORE + "test_upload_builds.py",),
    ),
    Mutant(
        "a cleanup message that comes early is settled",
        "operations/clean_up.py",
        "if self.clock() < message.due_at:",
        "if self.clock() < message.due_at and not message:",
        (_OPERATIONS + "test_clean_up.py",),
    ),
    Mutant(
        "a file of an archive replaces an earlier one of the same path",
        "packs/archive/path_tree.py",
        "elif not directory:",
        "elif not path:",
        ("tests/unit/packs/archive",),
    ),
    Mutant(
        "a cursor is taken from another organisation",
        "store/cursor.py",
        "json.dumps(binding, sort_keys=True",
        'json.dumps({**binding, "org_id": ""}, sort_keys=True',
        ("tests/unit/store/test_listing_cursors.py", _OPERATIONS + "test_list_packs.py"),
    ),
    Mutant(
        "a deleted revision is counted on",
        "store/removals.py",
        "[end, findings, self._events.put(event), *counted]",
        "[end, findings, self._events.put(event)]",
        (_OPERATIONS + "test_stored_bytes.py",),
    ),
    Mutant(
        "a publish writes over a correction of what is stored",
        "store/packs.py",
        "if _STORED in written and _STORED in old:",
        "if _STORED in written and _STORED not in old:",
        (_OPERATIONS + "test_stored_bytes.py",),
    ),
    Mutant(
        "a count is written although another deletion came in between",
        "store/pack_counts.py",
        '"#status = :active AND revision = :revision AND {counted}"',
        '"#status = :active AND revision = :revision AND ({counted} OR stored_bytes >= :stored)"',
        (_OPERATIONS + "test_stored_bytes.py",),
    ),
    Mutant(
        "a role is marked as holding what was restored meanwhile",
        "store/told_roles.py",
        "[unchanged(state)], told,",
        "[], told,",
        (_OPERATIONS + "test_told_roles.py",),
    ),
    Mutant(
        "a role pins an image that is withdrawn",
        "store/image_state_items.py",
        "key=image_key(pack_id, digest), condition=IN_USE, values",
        'key=image_key(pack_id, digest), condition=f"({IN_USE}) OR attribute_exists(PK)", values',
        ("tests/reliability/test_service_against_model.py",),
    ),
)


@contextmanager
def _copied() -> Iterator[Path]:
    """Copy the tree as it is now, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    with TemporaryDirectory() as folder:
        for name in filter(None, listed.stdout.split("\0")):
            source, target = _PROJECT / name, Path(folder, name)
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        yield Path(folder)


def killer(mutant: Mutant, tree: Path) -> str | None:
    """Return the first test that a mutant fails in a copy of the tree, or None when it survives."""
    path = tree / _PACKAGE / mutant.path
    original, mutated = path.read_text(), mutant.applied_to(tree)
    path.write_text(mutated)
    try:
        done = subprocess.run(  # noqa: S603 - pytest, with the tests of the table
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "--no-header",
                *mutant.tests,
            ],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree / _PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    finally:
        path.write_text(original)
    if done.returncode == 0:
        return None
    found = _FAILED.search(done.stdout)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return found[1].removeprefix("tests/")


def main(arguments: Sequence[str]) -> int:
    """Run the mutants whose names have one of the words given, by default all, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    chosen = [m for m in MUTANTS if not options.words or any(word in m.name for word in options.words)]
    rows, survived = ["| fault | found by |\n", "|---|---|\n"], 0
    with _copied() as tree:
        for mutant in chosen:
            try:
                found = killer(mutant, tree)
            except ValueError as gone:
                sys.stderr.write(f"{gone}\n")
                return 2
            survived += found is None
            rows.append(f"| {mutant.name} | {'**survived**' if found is None else f'`{found}`'} |\n")
            sys.stdout.write(rows[-1])
            sys.stdout.flush()
    if options.write:
        before, _, rest = _DOCUMENT.read_text().partition(_START)
        _DOCUMENT.write_text(before + _START + "".join(rows) + _END + rest.partition(_END)[2])
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
