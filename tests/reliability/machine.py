"""Three organisations that do everything that clients can do, in any order, while anything may fail."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import yaml
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from tests.fake_registry.moods import CutsOff, HangsUp, Mood, Refuses
from tests.reliability.choices import (
    BAD_PATHS,
    NAMES,
    PATHS,
    ROLES,
    UNKNOWN,
    VERSIONS,
    Key,
    Move,
    archives,
    fates,
    if_matches,
    manifest,
    moves,
    onces,
    picks,
    readers,
    visibilities,
    writers,
)
from tests.reliability.clients import ORGS, SLUGS
from tests.reliability.expectations import Expected, Refused
from tests.reliability.model import Model
from tests.reliability.model_packs import Archive, Reference
from tests.reliability.model_state import Caller
from tests.reliability.stage import Fate
from tests.reliability.surroundings import Surroundings


class Machine(Surroundings):
    """Every operation is a rule. What may go wrong with it comes with it, or has come before."""

    # -- what is chosen -------------------------------------------------------------------------------------------

    def a_pack(self, org: str, pick: int) -> str:
        """Return the id of a pack, the latest first: mostly of one's own that stands, or one that nobody has."""
        packs = [pack for pack in reversed(self.worlds.one.packs) if pack.id is not None]
        if pick < 6:
            packs = [pack for pack in packs if pack.org == org and pack.status != "gone"] or packs
        ids = [pack.id for pack in packs if pack.id is not None]
        return UNKNOWN if pick == 9 or not ids else ids[pick % len(ids)]

    def lent_by(self, org: str) -> str | None:
        """Return the id of a pack that others' roles hold, if there is one."""
        model = self.worlds.one
        held = {pack_id for (holder, _), ids in model.roles.items() for pack_id in ids if holder != org}
        return next((pack.id for pack in model.packs if pack.org == org and pack.id in held), None)

    def seen(self, pack_id: str, if_match: str | None) -> str | None:
        """Return the value of an `If-Match` header."""
        pack = self.worlds.one.find(pack_id)
        if if_match in (None, "*"):
            return if_match
        revision = 1 if pack is None else pack.revision
        return str(revision if if_match == "right" else revision + 7)

    def a_reference(self, org: str, pick: int, by_digest: bool) -> Reference:
        """Return a reference to an image of another registry, or to one in ours."""
        if pick < 4:
            repository = f"team/{NAMES[pick % 3]}"
            tags = self.worlds.one.elsewhere.get(repository, {})
            tag = sorted(tags)[pick % 2 % len(tags)] if tags else "1"
            content = tags.get(tag) if by_digest else None
            return Reference(self.elsewhere_host, repository, tag, content)
        packs = [pack for pack in self.worlds.one.packs if pack.origin != "image_ref"]
        if pick < 8:
            packs = [pack for pack in packs if pack.org == org and pack.is_active] or packs
        if not packs:
            return Reference(self.worlds.one.host, f"packs/{org}/alpha", "1.0.0")
        pack = packs[-1 - pick % len(packs)]
        had = pack.history[pick % len(pack.history)].content
        by_digest = by_digest and had.image.digest is not None
        return Reference(
            self.worlds.one.host,
            f"packs/{pack.org}/{pack.name}",
            had.version,
            had if by_digest else None,
        )

    # -- clients that write ---------------------------------------------------------------------------------------

    @rule(key=writers, archive=archives(), visibility=visibilities, once=onces, fate=fates)
    def upload(
        self, *, key: Key, archive: Archive, visibility: str, once: str | None, fate: Fate | None
    ) -> None:
        caller = self.caller(key)
        self.write(
            caller.org,
            lambda: self.clients.upload(key, archive, visibility, once),
            lambda model: model.upload(caller, archive, visibility, once),
            fate,
            place=(caller.org, "upload", once) if once else None,
        )

    @rule(key=writers, pick=picks, archive=archives(), if_match=if_matches, once=onces, fate=fates)
    def reupload(
        self,
        *,
        key: Key,
        pick: int,
        archive: Archive,
        if_match: str | None,
        once: str | None,
        fate: Fate | None,
    ) -> None:
        pack_id, caller = self.a_pack(key[0], pick), self.caller(key)
        pack, seen = self.worlds.one.find(pack_id), self.seen(pack_id, if_match)
        if pack is not None and archive.fault is None:
            # Of the pack's own name, or nearly always nothing would come of it.
            stated = archive.content().manifest | {"name": pack.name}
            text = yaml.safe_dump(stated, sort_keys=False).encode()
            archive = Archive(tuple(sorted({**dict(archive.files), "pack.yaml": text}.items())))
        self.write(
            caller.org,
            lambda: self.clients.reupload(key, pack_id, archive, seen, once),
            lambda model: model.reupload(caller, pack_id, archive, seen, once),
            fate,
            place=(caller.org, "reupload", once) if once else None,
        )

    @rule(key=writers, pick=picks, by_digest=st.booleans(), visibility=visibilities, once=onces, fate=fates)
    def create(
        self,
        *,
        key: Key,
        pick: int,
        by_digest: bool,
        visibility: str,
        once: str | None,
        fate: Fate | None,
    ) -> None:
        reference, caller = self.a_reference(key[0], pick, by_digest), self.caller(key)
        self.write_found(
            caller.org,
            lambda: self.clients.create(key, reference, visibility, once),
            lambda model, found: model.create(caller, reference, visibility, once, found=found),
            reference,
            fate=fate,
            place=(caller.org, "create", once) if once else None,
        )

    @rule(key=writers, pick=picks, image_pick=picks, by_digest=st.booleans(), if_match=if_matches, fate=fates)
    def replace(
        self,
        *,
        key: Key,
        pick: int,
        image_pick: int,
        by_digest: bool,
        if_match: str | None,
        fate: Fate | None,
    ) -> None:
        pack_id, caller = self.a_pack(key[0], pick), self.caller(key)
        pack, seen = self.worlds.one.find(pack_id), self.seen(pack_id, if_match)
        reference = self.a_reference(key[0], image_pick, by_digest)
        if pack is not None and image_pick > 2:
            # Its own repository, or nearly always nothing would come of it.
            registry, _, repository = pack.repository.partition("/")
            had = pack.history[image_pick % len(pack.history)].content
            by_digest = by_digest and had.image.digest is not None
            reference = Reference(registry, repository, had.version, had if by_digest else None)
        self.write_found(
            caller.org,
            lambda: self.clients.replace(key, pack_id, reference, seen),
            lambda model, found: model.replace(caller, pack_id, reference, seen, found=found),
            reference,
            fate=fate,
        )

    @rule(
        key=writers,
        pick=picks,
        name=st.sampled_from((None, *NAMES)),
        visibility=visibilities,
        once=onces,
        fate=fates,
    )
    def clone(
        self,
        *,
        key: Key,
        pick: int,
        name: str | None,
        visibility: str,
        once: str | None,
        fate: Fate | None,
    ) -> None:
        pack_id, caller = self.a_pack(key[0], pick), self.caller(key)
        self.write(
            caller.org,
            lambda: self.clients.clone(key, pack_id, name, visibility, once),
            lambda model: model.clone(caller, pack_id, name, visibility, once),
            fate,
            place=(caller.org, "clone", once) if once else None,
        )

    @rule(moves=st.lists(moves, min_size=1, max_size=5))
    def arrange(self, moves: Sequence[Move]) -> None:
        """Roles hold packs, and so have a say in who may hide or delete them."""
        for move in moves:
            match move.what:
                case "attach":
                    self.set_role(move.key, ROLES[move.pick % 2], move.chosen, move.if_match, fate=move.fate)
                case "share":
                    self.update(move.key, move.pick, move.visibility, move.if_match, fate=move.fate)
                case "delete":
                    self.delete(move.key, move.pick, move.if_match, move.fate)

    def update(
        self, key: Key, pick: int, visibility: str, if_match: str | None, *, fate: Fate | None
    ) -> None:
        pack_id, caller = self.lent_by(key[0]) if pick < 4 else None, self.caller(key)
        pack_id = pack_id or self.a_pack(key[0], pick)
        seen = self.seen(pack_id, if_match)
        self.write(
            caller.org,
            lambda: self.clients.update(key, pack_id, visibility, seen),
            lambda model: model.update(caller, pack_id, visibility, seen),
            fate,
        )

    @rule(
        key=writers,
        pick=picks,
        path=st.sampled_from((*PATHS, *PATHS, "pack.yaml", "guides/new.md", *BAD_PATHS)),
        content=st.sampled_from((b"0", b"1", b"new")),
        if_match=st.one_of(if_matches, st.just("file")),
        variant=st.integers(0, 2),
        fate=fates,
    )
    def put_file(
        self,
        *,
        key: Key,
        pick: int,
        path: str,
        content: bytes,
        if_match: str | None,
        variant: int,
        fate: Fate | None,
    ) -> None:
        pack_id, caller = self.a_pack(key[0], pick), self.caller(key)
        pack = self.worlds.one.find(pack_id)
        if path == "pack.yaml":
            version = VERSIONS[0] if pack is None else pack.content.version
            content = manifest("alpha" if pack is None else pack.name, version, variant)
        seen = self.seen(pack_id, if_match)
        if if_match == "file":
            there = pack is not None and path in pack.content.files
            seen = pack.content.etag(path) if pack is not None and there else "sha256:0"
        self.write(
            caller.org,
            lambda: self.clients.put_file(key, pack_id, path, content, seen),
            lambda model: model.put_file(caller, pack_id, path, content, seen),
            fate,
        )

    def delete(self, key: Key, pick: int, if_match: str | None, fate: Fate | None) -> None:
        pack_id, caller = self.a_pack(key[0], pick), self.caller(key)
        self.remove(key, caller, pack_id, self.seen(pack_id, if_match), fate)

    def set_role(
        self, key: Key, role: str, chosen: Sequence[int], if_match: str | None, *, fate: Fate | None
    ) -> None:
        self.roles.add((key[0], role))
        caller, org = self.caller(key), key[0]
        shared = [pack.id for pack in self.worlds.one.packs if pack.is_active and pack.is_visible_to(org)]
        pack_ids = [
            shared[-1 - pick] or UNKNOWN if pick < min(6, len(shared)) else self.a_pack(org, pick)
            for pick in dict.fromkeys(chosen)
        ]
        pack_ids = list(dict.fromkeys(pack_ids))
        stands = self.worlds.one.role_revisions.get((org, role), 0)
        seen = {"right": str(stands), "stale": str(stands + 7)}.get(if_match or "", if_match)
        self.write(
            caller.org,
            lambda: self.clients.set_role(key, role, pack_ids, seen),
            lambda model: model.set_role(caller, role, pack_ids, seen),
            fate,
        )

    # -- staged uploads -------------------------------------------------------------------------------------------

    @rule(
        key=writers,
        visibility=st.sampled_from((None, "org", "community", "public")),
        pick=st.one_of(st.none(), picks),
        if_match=if_matches,
        once=onces,
        fate=fates,
    )
    def start_upload(
        self,
        *,
        key: Key,
        visibility: str | None,
        pick: int | None,
        if_match: str | None,
        once: str | None,
        fate: Fate | None,
    ) -> None:
        pack_id, caller = None if pick is None else self.a_pack(key[0], pick), self.caller(key)
        seen = if_match if pack_id is None else self.seen(pack_id, if_match)
        visibility = visibility if pick is None or pick == 0 else None
        self.write(
            caller.org,
            lambda: self.clients.start_upload(key, visibility, pack_id, seen, once=once),
            lambda model: model.start_upload(caller, visibility, pack_id, seen, key=once),
            fate,
            place=(caller.org, "start", once) if once else None,
        )

    @precondition(lambda self: self.can_send)
    @rule(pick=picks, archive=archives(), soon=st.booleans())
    def send_archive(self, pick: int, archive: Archive, soon: bool) -> None:
        """A client posts an archive to its form; S3 takes none once the form's time is over."""
        number = self.can_send[-1 - pick % len(self.can_send)]
        upload = self.worlds.one.uploads[number]
        target = None if upload.target is None else self.worlds.one.find(upload.target)
        if target is not None and archive.fault is None:
            stated = archive.content().manifest | {"name": target.name}
            text = yaml.safe_dump(stated, sort_keys=False).encode()
            archive = Archive(tuple(sorted({**dict(archive.files), "pack.yaml": text}.items())))
        self.archive_arrives(number, archive)
        if soon:
            self.tell_of_archive(len(self.notices) - 1, None)

    @precondition(lambda self: self.notices)
    @rule(pick=picks, fate=fates)
    def hear_of_archive(self, pick: int, fate: Fate | None) -> None:
        """S3 tells of an archive: late, or once more."""
        self.tell_of_archive(-1 - pick % len(self.notices), fate)

    # -- readers --------------------------------------------------------------------------------------------------

    @rule(
        key=readers,
        what=st.sampled_from(("pack", "pack", "host", "upload", "files", "file", "file", "role")),
        pick=picks,
        path=st.sampled_from((*PATHS, "pack.yaml", "guides/none.md")),
    )
    def look(self, key: Key, what: str, pick: int, path: str) -> None:
        pack_id, caller = self.a_pack(key[0], pick), self.caller(key)
        match what:
            case "pack":
                self.read(lambda: self.clients.get(key, pack_id), lambda model: model.get(caller, pack_id))
            case "host":
                self.ask_host(key, caller, pack_id, ORGS[pick % 3])
            case "upload":
                ids = [upload.id for upload in self.worlds.one.uploads if upload.id is not None]
                upload_id = ids[-1 - pick % len(ids)] if ids else "upl_none"
                self.read(
                    lambda: self.clients.get_upload(key, upload_id),
                    lambda model: model.get_upload(caller, upload_id),
                )
            case "files":
                self.read_files(
                    pack_id,
                    lambda: self.clients.list_files(key, pack_id),
                    lambda model: model.list_files(caller, pack_id),
                )
            case "file":
                self.read_files(
                    pack_id,
                    lambda: self.clients.get_file(key, pack_id, path),
                    lambda model: model.get_file(caller, pack_id, path),
                )
            case "role":
                role = ROLES[pick % 2]
                self.read(
                    lambda: self.clients.get_role(key, role), lambda model: model.get_role(caller, role)
                )

    def ask_host(self, key: Key, caller: Caller, pack_id: str, org: str) -> None:
        """A host that names another organisation is refused, whatever is asked for."""

        def predict(model: Model) -> Expected:
            model.admit(caller)
            if org != key[0]:
                raise Refused(403, "permission_denied")
            return model.get(caller, pack_id)

        self.read(lambda: self.clients.get(key, pack_id, SLUGS[org]), predict)

    @rule(
        key=readers,
        filters=st.fixed_dictionaries(
            {},
            optional={
                "owned": st.sampled_from(("true", "false")),
                "tier": st.sampled_from(("community", "verified")),
                "category": st.sampled_from(("messaging", "crm")),
                "q": st.sampled_from(("", "a", "be", "gamma")),
            },
        ),
        limit=st.sampled_from((1, 1, 2, 50)),
    )
    def begin_list(self, key: Key, filters: Mapping[str, str], limit: int) -> None:
        self.list_page(key, dict(filters), limit)

    @precondition(lambda self: self.cursors)
    @rule(key=readers, pick=picks, limit=st.sampled_from((1, 2, 50)))
    def go_on_with_list(self, key: Key, pick: int, limit: int) -> None:
        """A cursor is good for whoever got it, whatever has been written since; for nobody else."""
        cursor = self.cursors[-1 - pick % len(self.cursors)]
        self.list_page(key, cursor.filters, limit, cursor)

    @rule(key=readers, pick=picks, limit=st.sampled_from((1, 2, 50)))
    def list_revisions(self, key: Key, pick: int, limit: int) -> None:
        self.walk_revisions(key, self.a_pack(key[0], pick), limit)

    # -- what else happens ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.mail)
    @rule(order=st.permutations(range(6)), many=st.integers(1, 6), again=st.booleans(), fate=fates)
    def messages_arrive(self, order: Sequence[int], many: int, again: bool, fate: Fate | None) -> None:
        """Some messages arrive, in any order, and some that have been settled once more."""
        mail = (self.mail + self.settled_mail[-3:]) if again else self.mail
        for body in [mail[n] for n in order[:many] if n < len(mail)]:
            self.deliver_message(body, fate)

    @rule(
        seconds=st.sampled_from((1, 40, 121, 301, 961, 3000, 3600, 90_000, 90_000, 8 * 86_400, 31 * 86_400)),
        back=st.sampled_from((0, 0, 7, 25)),
        expires=st.sampled_from((0, 0, 1, 2)),
    )
    def time_passes(self, seconds: int, back: int, expires: int) -> None:
        """The next function may have another machine's clock, which is behind; what expires may go, or stay."""
        self.pass_time(timedelta(seconds=seconds))
        self.step_back(timedelta(seconds=back))
        if expires:
            self.expire(expires)

    @rule(
        ours=st.booleans(),
        mood=st.sampled_from(
            (
                Refuses(status=503, times=1),
                Refuses(status=503, times=3),
                Refuses(status=503),
                Refuses(method="PUT", path="/manifests/", status=503, times=4),
                Refuses(method="DELETE", status=503, times=5),
                HangsUp(times=2),
                CutsOff(method="GET", times=1),
            )
        ),
    )
    def registry_fails(self, ours: bool, mood: Mood) -> None:
        self.spoil_registry(ours=ours, mood=mood)

    @precondition(lambda self: self.service.registry.moods or self.elsewhere.moods)
    @rule()
    def registries_recover(self) -> None:
        self.heal_registries()

    @rule(org=st.sampled_from(ORGS), what=st.sampled_from(("lapses", "pays", "pays", "revokes a key")))
    def tenant_changes(self, org: str, what: str) -> None:
        if what == "revokes a key":
            self.clients.revoke((org, 1))
            self.revoked.add((org, 1))
            return
        self.clients.set_billing(org, lapsed=what == "lapses")
        self.worlds.each(lambda model: (model.lapsed.add if what == "lapses" else model.lapsed.discard)(org))

    @rule(
        name=st.sampled_from(NAMES),
        version=st.sampled_from(VERSIONS),
        variant=st.integers(0, 2),
        tag=st.sampled_from(("1", "2")),
    )
    def somebody_pushes_elsewhere(self, name: str, version: str, variant: int, tag: str) -> None:
        self.push_elsewhere(name, manifest(name, version, variant), tag)

    @precondition(lambda self: self.unsettled_steps > 20)
    @rule()
    def everything_settles(self) -> None:
        self.settle_everything()

    @initialize(made=st.lists(archives(), min_size=3, max_size=5), visibility=visibilities)
    def there_is_something(self, made: Sequence[Archive], visibility: str) -> None:
        for number, name in enumerate(NAMES):
            self.push_elsewhere(name, manifest(name, "1.0.0", number), "1")
        for number, archive in enumerate(made):
            org = ORGS[number % 3]
            self.upload(key=(org, 0), archive=archive, visibility=visibility, once=None, fate=None)
