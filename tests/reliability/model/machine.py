"""Three organisations that do everything that clients can do, in any order, while anything may fail."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from tests.fake_registry.moods import CutsOff, HangsUp, Mood, Refuses
from tests.reliability.model.choices import (
    BAD_PATHS,
    NAMES,
    PATHS,
    ROLES,
    UNKNOWN,
    VERSIONS,
    Ask,
    Fate,
    Move,
    archives,
    asks,
    fates,
    manifest,
    moves,
    picks,
    readers,
    visibilities,
)
from tests.reliability.model.clients import ORGS, Key
from tests.reliability.model.events import Events
from tests.reliability.model.packs import Archive, Reference


class Machine(Events):
    """Every operation is a rule. What may go wrong with it comes with it, or has come before."""

    # -- what is chosen -------------------------------------------------------------------------------------------

    def a_pack(self, org: str, pick: int) -> str:
        """Return the id of a pack: mostly of one that the organisation has, the latest first; or one of no pack."""
        packs = [pack for pack in reversed(self.states.one.packs) if pack.id is not None]
        if pick < 6:
            packs = [pack for pack in packs if pack.org == org and pack.status != "gone"] or packs
        ids = [pack.id for pack in packs if pack.id is not None]
        return UNKNOWN if pick == 9 or not ids else ids[pick % len(ids)]

    def held_by_others(self, org: str) -> str | None:
        """Return the id of a pack that other organisations' roles hold, if there is one."""
        model = self.states.one
        held = {pack_id for (holder, _), ids in model.roles.items() for pack_id in ids if holder != org}
        return next((pack.id for pack in model.packs if pack.org == org and pack.id in held), None)

    def seen(self, pack_id: str, if_match: str | None) -> str | None:
        """Return the value of an `If-Match` header."""
        if if_match in (None, "*"):
            return if_match
        pack = self.states.one.find(pack_id)
        revision = 1 if pack is None else pack.revision
        return str(revision if if_match == "right" else revision + 7)

    def of_pack(self, archive: Archive, pack_id: str | None) -> Archive:
        """Return an archive with the name of a pack. With another name, nearly all would be refused."""
        pack = None if pack_id is None else self.states.one.find(pack_id)
        return archive if pack is None else archive.named(pack.name)

    def a_reference(self, org: str, pick: int, by_digest: bool) -> Reference:
        """Return a reference to an image of another registry, or to one in ours."""
        model = self.states.one
        if pick < 4:
            repository = f"team/{NAMES[pick % 3]}"
            tags = model.elsewhere.get(repository, {})
            tag = sorted(tags)[pick % 2 % len(tags)] if tags else "1"
            content = tags.get(tag) if by_digest else None
            return Reference(self.elsewhere_host, repository, "" if content else tag, content)
        packs = [pack for pack in model.packs if pack.origin != "image_ref"]
        if pick < 8:
            packs = [pack for pack in packs if pack.org == org and pack.is_active] or packs
        if not packs:
            return Reference(model.host, f"packs/{org}/alpha", "1.0.0")
        pack = packs[-1 - pick % len(packs)]
        had = pack.history[pick % len(pack.history)].content
        content = had if by_digest and had.image.digest is not None else None
        return Reference(model.host, f"packs/{pack.org}/{pack.name}", "" if content else had.version, content)

    # -- clients that write ---------------------------------------------------------------------------------------

    @rule(ask=asks, archive=archives(), visibility=visibilities)
    def upload(self, ask: Ask, archive: Archive, visibility: str) -> None:
        self.write("upload", ask, archive, visibility=visibility)

    @rule(ask=asks, archive=archives())
    def reupload(self, ask: Ask, archive: Archive) -> None:
        pack_id = self.a_pack(ask.key[0], ask.pick)
        archive, if_match = self.of_pack(archive, pack_id), self.seen(pack_id, ask.if_match)
        self.write("reupload", ask, pack_id, archive, if_match=if_match)

    @rule(ask=asks, by_digest=st.booleans(), visibility=visibilities)
    def create(self, ask: Ask, by_digest: bool, visibility: str) -> None:
        reference = self.a_reference(ask.key[0], ask.pick, by_digest)
        self.write("create", ask, reference, visibility=visibility)

    @rule(ask=asks, image_pick=picks, by_digest=st.booleans())
    def replace(self, ask: Ask, image_pick: int, by_digest: bool) -> None:
        pack_id = self.a_pack(ask.key[0], ask.pick)
        reference = self.a_reference(ask.key[0], image_pick, by_digest)
        pack = self.states.one.find(pack_id)
        if pack is not None and image_pick > 2:
            # Of its own repository. From another one, nearly all would be refused.
            registry, _, repository = pack.repository.partition("/")
            had = pack.history[image_pick % len(pack.history)].content
            content = had if by_digest and had.image.digest is not None else None
            reference = Reference(registry, repository, "" if content else had.version, content)
        self.write("replace", ask, pack_id, reference, if_match=self.seen(pack_id, ask.if_match))

    @rule(ask=asks, name=st.sampled_from((None, *NAMES)), visibility=visibilities)
    def clone(self, ask: Ask, name: str | None, visibility: str) -> None:
        self.write("clone", ask, self.a_pack(ask.key[0], ask.pick), name, visibility=visibility)

    @rule(moves=st.lists(moves, min_size=1, max_size=5))
    def arrange(self, moves: Sequence[Move]) -> None:
        """Roles hold packs, and so decide who may hide or delete them."""
        for move in moves:
            match move.what:
                case "attach":
                    self.set_role(move)
                case "share":
                    self.update(move.ask, move.visibility)
                case "delete":
                    self.delete(move.ask)

    def update(self, ask: Ask, visibility: str) -> None:
        org = ask.key[0]
        pack_id = (self.held_by_others(org) if ask.pick < 4 else None) or self.a_pack(org, ask.pick)
        self.write("update", ask, pack_id, visibility=visibility, if_match=self.seen(pack_id, ask.if_match))

    def delete(self, ask: Ask) -> None:
        pack_id = self.a_pack(ask.key[0], ask.pick)
        self.write("delete", ask, pack_id, if_match=self.seen(pack_id, ask.if_match))

    def set_role(self, move: Move) -> None:
        (org, _), role = move.ask.key, ROLES[move.ask.pick % 2]
        self.roles.add((org, role))
        shared = [pack.id for pack in self.states.one.packs if pack.is_active and pack.is_visible_to(org)]
        pack_ids = [
            shared[-1 - pick] or UNKNOWN if pick < min(6, len(shared)) else self.a_pack(org, pick)
            for pick in dict.fromkeys(move.chosen)
        ]
        stands = self.states.one.role_revisions.get((org, role), 0)
        conditions = {"right": str(stands), "stale": str(stands + 7)}
        if_match = conditions.get(move.ask.if_match or "", move.ask.if_match)
        if_match = "new" if move.must_be_new else if_match
        self.write("set_role", move.ask, role, list(dict.fromkeys(pack_ids)), if_match=if_match)

    @rule(
        ask=asks,
        path=st.sampled_from((*PATHS, *PATHS, "pack.yaml", "guides/new.md", *BAD_PATHS)),
        content=st.sampled_from((b"0", b"1", b"new")),
        file_tag=st.sampled_from((False, False, False, True)),
        variant=st.integers(0, 2),
    )
    def put_file(self, ask: Ask, path: str, content: bytes, file_tag: bool, variant: int) -> None:
        pack_id = self.a_pack(ask.key[0], ask.pick)
        pack = self.states.one.find(pack_id)
        if path == "pack.yaml":
            version = VERSIONS[0] if pack is None else pack.content.version
            content = manifest("alpha" if pack is None else pack.name, version, variant)
        if_match = self.seen(pack_id, ask.if_match)
        if file_tag:
            there = pack is not None and path in pack.content.files
            if_match = pack.content.etag(path) if pack is not None and there else "sha256:0"
        self.write("put_file", ask, pack_id, path, content, if_match=if_match)

    @rule(
        ask=asks,
        files=st.dictionaries(
            st.sampled_from((*PATHS, "guides/new.md")), st.sampled_from((b"0", b"1", b"new")), max_size=2
        ),
        states=st.sampled_from((None, None, *VERSIONS)),
        deletions=st.lists(
            st.sampled_from((*PATHS, "guides/new.md", "guides/", "data/", "pack.yaml")),
            unique=True,
            max_size=2,
        ),
    )
    def change(self, ask: Ask, files: dict[str, bytes], states: str | None, deletions: Sequence[str]) -> None:
        pack_id = self.a_pack(ask.key[0], ask.pick)
        pack = self.states.one.find(pack_id)
        stated = (
            {}
            if states is None
            else {"pack.yaml": manifest("alpha" if pack is None else pack.name, states, 1)}
        )
        written = tuple(sorted((files | stated).items()))
        self.write(
            "change", ask, pack_id, written, tuple(deletions), if_match=self.seen(pack_id, ask.if_match)
        )

    # -- staged uploads -------------------------------------------------------------------------------------------

    @rule(
        ask=asks,
        visibility=st.sampled_from((None, "org", "community", "public")),
        replaces=st.booleans(),
        states_both=st.sampled_from((False,) * 9 + (True,)),
    )
    def start_upload(self, ask: Ask, visibility: str | None, replaces: bool, states_both: bool) -> None:
        pack_id = self.a_pack(ask.key[0], ask.pick) if replaces else None
        if_match = ask.if_match if pack_id is None else self.seen(pack_id, ask.if_match)
        if replaces and not states_both:
            visibility = None
        self.write("start_upload", ask, visibility=visibility, pack_id=pack_id, if_match=if_match)

    @precondition(lambda self: self.can_send)
    @rule(pick=picks, archive=archives(), soon=st.booleans())
    def send_archive(self, pick: int, archive: Archive, soon: bool) -> None:
        """A client posts an archive to its form. S3 takes none once the form's time is over."""
        number = self.can_send[-1 - pick % len(self.can_send)]
        self.archive_arrives(number, self.of_pack(archive, self.states.one.uploads[number].target))
        if soon:
            self.deliver_notice(len(self.notices) - 1, None)

    @precondition(lambda self: self.notices)
    @rule(pick=picks, fate=fates)
    def hear_of_archive(self, pick: int, fate: Fate | None) -> None:
        """S3 tells of an archive: late, or once more."""
        self.deliver_notice(-1 - pick % len(self.notices), fate)

    # -- readers --------------------------------------------------------------------------------------------------

    @rule(
        key=readers,
        what=st.sampled_from(("pack", "pack", "host", "upload", "files", "file", "file", "role")),
        pick=picks,
        path=st.sampled_from((*PATHS, "pack.yaml", "guides/none.md")),
    )
    def look(self, key: Key, what: str, pick: int, path: str) -> None:
        pack_id = self.a_pack(key[0], pick)
        uploads = [upload.id for upload in self.states.one.uploads if upload.id is not None]
        match what:
            case "pack":
                self.read("get", key, pack_id)
            case "host":
                self.read("get", key, pack_id, host=ORGS[pick % 3])
            case "upload":
                self.read("get_upload", key, uploads[-1 - pick % len(uploads)] if uploads else "upl_none")
            case "files":
                self.read("list_files", key, pack_id)
            case "file":
                self.read("get_file", key, pack_id, path)
            case "role":
                self.read("get_role", key, ROLES[pick % 2])

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
        """A cursor stays valid for its organisation, whatever has been written since, and for no other."""
        cursor = self.cursors[-1 - pick % len(self.cursors)]
        self.list_page(key, cursor.filters, limit, cursor)

    @rule(key=readers, pick=picks, limit=st.sampled_from((1, 2, 50)))
    def list_revisions(self, key: Key, pick: int, limit: int) -> None:
        self.walk_revisions(key, self.a_pack(key[0], pick), limit)

    # -- what else happens ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.inbox)
    @rule(order=st.permutations(range(6)), many=st.integers(1, 6), again=st.booleans(), fate=fates)
    def messages_arrive(self, order: Sequence[int], many: int, again: bool, fate: Fate | None) -> None:
        """Some messages arrive, in any order, and some that have been settled once more."""
        inbox = (self.inbox + self.settled[-3:]) if again else self.inbox
        for body in [inbox[n] for n in order[:many] if n < len(inbox)]:
            self.deliver_message(body, fate)

    @rule(
        seconds=st.sampled_from((1, 40, 121, 301, 961, 3000, 3600, 90_000, 90_000, 8 * 86_400, 31 * 86_400)),
        back=st.sampled_from((0, 0, 7, 25)),
        expires=st.sampled_from((0, 0, 1, 2)),
    )
    def time_passes(self, seconds: int, back: int, expires: int) -> None:
        """The next function's clock may be behind. What expires may be deleted, or stay."""
        self.pass_time(timedelta(seconds=seconds), back=timedelta(seconds=back))
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
        self.fail_registry(ours=ours, mood=mood)

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
        self.states.each(lambda model: (model.lapsed.add if what == "lapses" else model.lapsed.discard)(org))

    @rule(
        name=st.sampled_from(NAMES),
        version=st.sampled_from(VERSIONS),
        variant=st.integers(0, 2),
        tag=st.sampled_from(("1", "2")),
    )
    def somebody_pushes_elsewhere(self, name: str, version: str, variant: int, tag: str) -> None:
        self.push_elsewhere(name, manifest(name, version, variant), tag)

    @precondition(lambda self: self.steps - self.settled_at > 20)
    @rule()
    def everything_settles(self) -> None:
        self.settle_everything()

    @initialize(made=st.lists(archives(), min_size=3, max_size=5), visibility=visibilities)
    def there_is_something(self, made: Sequence[Archive], visibility: str) -> None:
        for number, name in enumerate(NAMES):
            self.push_elsewhere(name, manifest(name, "1.0.0", number), "1")
        for number, archive in enumerate(made):
            ask = Ask((ORGS[number % 3], 0), 0, None, None, None)
            self.upload(ask=ask, archive=archive, visibility=visibility)
