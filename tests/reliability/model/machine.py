"""Three organisations that do everything that clients can do, in any order, while anything may fail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import yaml
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from tests.fake_registry.moods import CutsOff, HangsUp, Mood, Refuses
from tests.reliability.model.clients import ORGS, READER, Key, api_key_of, packed
from tests.reliability.model.packs import BAD_PATHS, Archive, Pack, Reference
from tests.reliability.model.runs import Ask, Fate, Run
from tests.staged_uploads import arrive

from packyard.tenants.org import BillingPosture

# Few of each kind, so that requests often concern the same things.
NAMES: Final = ("alpha", "beta", "gamma")
VERSIONS: Final = ("1.0.0", "1.1.0", "2.0.0")
PATHS: Final = ("guides/a.md", "README.md", "data/deep/b.txt")
ROLES: Final = ("support", "sales")
UNKNOWN: Final = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"
# What a `pack.yaml` may state besides its name and version.
VARIANTS: Final[Sequence[Mapping[str, Any]]] = (
    {},
    {"category": "messaging", "description": "Talks."},
    {"display_name": "The pack", "suggested_packs": ["jira", "github"], "category": "crm"},
)
FILTERS: Final = {"owned": ("true", "false"), "tier": ("community", "verified")} | {
    "category": ("messaging", "crm"),
    "q": ("", "a", "be", "gamma"),
}
MOODS: Final = (
    Refuses(status=503, times=1),
    Refuses(status=503, times=3),
    Refuses(status=503),
    Refuses(method="PUT", path="/manifests/", status=503, times=4),
    Refuses(method="DELETE", status=503, times=5),
    HangsUp(times=2),
    CutsOff(method="GET", times=1),
)


def one_of(*things: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(things)


# Mostly a key that writes; now and then the second of an organisation's, or the one that only reads.
writers = st.tuples(one_of(*ORGS), one_of(*(0,) * 10, 1, 1, READER))
readers = st.tuples(one_of(*ORGS), one_of(READER, READER, 0, 1))
visibilities = one_of(*("org", "community") * 6, "public")
picks = st.integers(0, 9)
limits = one_of(1, 2, 50)
contents = one_of(b"0", b"1", b"new")
fates = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.just("dies"), st.integers(0, 26)),
    st.none(),
    st.tuples(st.just("outage"), st.integers(0, 12)),
)
conditions = one_of(None, None, None, "right", "stale", "*")
asks = st.builds(Ask, writers, picks, conditions, one_of(None, None, None, None, "k1", "k2"), fates)
# How packs are shared, attached to roles and deleted: a request, the packs of a role and whether it must be new.
moves = st.tuples(
    asks,
    one_of("attach", "attach", "attach", "share", "share", "delete"),
    st.lists(picks, max_size=3),
    visibilities,
    one_of(*(False,) * 6, True),
)


def manifest(name: str, version: str, variant: int) -> bytes:
    return yaml.safe_dump({"name": name, "version": version, **VARIANTS[variant]}, sort_keys=False).encode()


@st.composite
def archives(draw: st.DrawFn) -> Archive:
    """Draw an archive; now and then one that is refused."""
    fault = draw(one_of(*("",) * 12, "archive", "pack.yaml:version"))
    version = "one" if fault == "pack.yaml:version" else draw(one_of(*VERSIONS))
    files = {"pack.yaml": manifest(draw(one_of(*NAMES)), version, draw(st.integers(0, 2)))}
    files |= {path: b"%d" % draw(st.integers(0, 1)) for path in PATHS[: draw(st.integers(0, 3))]}
    return Archive(tuple(sorted(files.items())), fault)


class Machine(Run):
    """Every operation is a rule. What may go wrong with it comes with it, or has come before."""

    def a_pack(self, org: str, pick: int) -> str:
        """Return the id of a pack: mostly of one that the organisation has, the latest first; or one of no pack."""
        packs = [pack for pack in reversed(self.one.packs) if pack.id is not None]
        if pick < 6:
            packs = [pack for pack in packs if pack.org == org and pack.gone_at is None] or packs
        return UNKNOWN if pick == 9 or not packs else packs[pick % len(packs)].id or UNKNOWN

    def held_by_others(self, org: str) -> str | None:
        """Return the id of a pack that other organisations' roles hold, if there is one."""
        model = self.one
        held = {pack_id for (holder, _), (_, ids) in model.roles.items() for pack_id in ids if holder != org}
        return next((pack.id for pack in model.packs if pack.org == org and pack.id in held), None)

    def target(self, ask: Ask) -> tuple[str, Pack | None]:
        """Return the id of the pack that is asked for, and the pack if there is one."""
        pack_id = self.a_pack(ask.key[0], ask.pick)
        return pack_id, self.one.find(pack_id)

    def a_reference(self, org: str, pick: int, by_digest: bool) -> Reference:
        """Return a reference to an image of another registry, or of a pack in ours."""
        model = self.one
        if pick < 4:
            repository = f"team/{NAMES[pick % 3]}"
            tag, content = sorted(model.elsewhere[repository].items())[
                pick % 2 % len(model.elsewhere[repository])
            ]
            place = f"{self.elsewhere.url.partition('://')[2]}/{repository}"
            return Reference.to(place, content, tag=tag, by_digest=by_digest)
        packs = [pack for pack in model.packs if pack.origin != "image_ref"]
        if pick < 8:
            packs = [pack for pack in packs if pack.org == org and not pack.deletion] or packs
        if not packs:
            return Reference(f"{model.host}/packs/{org}/alpha", "1.0.0")
        pack = packs[-1 - pick % len(packs)]
        return pack.reference(pick, f"{model.host}/packs/{pack.org}/{pack.name}", by_digest=by_digest)

    @rule(ask=asks, archive=archives(), visibility=visibilities)
    def upload(self, ask: Ask, archive: Archive, visibility: str) -> None:
        self.request("upload_pack", ask, archive=archive, visibility=visibility)

    @rule(ask=asks, archive=archives())
    def reupload(self, ask: Ask, archive: Archive) -> None:
        """Mostly by an archive with the pack's name. One with another is refused."""
        pack_id, pack = self.target(ask)
        self.request(
            "reupload_pack", ask, pack_id=pack_id, archive=archive.named(pack.name) if pack else archive
        )

    @rule(ask=asks, by_digest=st.booleans(), visibility=visibilities)
    def create(self, ask: Ask, by_digest: bool, visibility: str) -> None:
        reference = self.a_reference(ask.key[0], ask.pick, by_digest)
        self.request("create_pack", ask, image_ref=reference, visibility=visibility)

    @rule(ask=asks, image_pick=picks, by_digest=st.booleans())
    def replace(self, ask: Ask, image_pick: int, by_digest: bool) -> None:
        """Mostly by an image of the pack's own repository. One of another is refused."""
        pack_id, pack = self.target(ask)
        reference = self.a_reference(ask.key[0], image_pick, by_digest)
        if pack is not None and image_pick > 2:
            reference = pack.reference(image_pick, pack.place, by_digest=by_digest)
        self.request("replace_pack", ask, pack_id=pack_id, image_ref=reference)

    @rule(ask=asks, name=one_of(None, *NAMES), visibility=visibilities)
    def clone(self, ask: Ask, name: str | None, visibility: str) -> None:
        self.request("clone_pack", ask, pack_id=self.target(ask)[0], name=name, visibility=visibility)

    @rule(moves=st.lists(moves, min_size=1, max_size=5))
    def arrange(self, moves: Sequence[tuple[Ask, str, Sequence[int], str, bool]]) -> None:
        """Roles hold packs, and so decide who may hide or delete them."""
        for ask, what, chosen, visibility, must_be_new in moves:
            pack_id, _ = self.target(ask)
            if what == "attach":
                self.set_role(ask, chosen, must_be_new)
            elif what == "share":
                held = self.held_by_others(ask.key[0]) if ask.pick < 4 else None
                self.request("update_pack", ask, pack_id=held or pack_id, visibility=visibility)
            else:
                self.request("delete_pack", ask, pack_id=pack_id)

    def set_role(self, ask: Ask, chosen: Sequence[int], must_be_new: bool) -> None:
        (org, _), role = ask.key, ROLES[ask.pick % 2]
        self.roles.add((org, role))
        shared = [pack.id for pack in self.one.packs if not pack.deletion and pack.is_visible_to(org)]
        pack_ids = [
            shared[-1 - pick] or UNKNOWN if pick < min(6, len(shared)) else self.a_pack(org, pick)
            for pick in dict.fromkeys(chosen)
        ]
        new: dict[str, Any] = {"if_match": "new"} if must_be_new else {}
        self.request("set_role_packs", ask, role_id=role, pack_ids=list(dict.fromkeys(pack_ids)), **new)

    @rule(
        ask=asks,
        path=one_of(*PATHS, *PATHS, "pack.yaml", "guides/new.md", *BAD_PATHS),
        content=contents,
        file_tag=one_of(False, False, False, True),
        variant=st.integers(0, 2),
    )
    def put_file(self, ask: Ask, path: str, content: bytes, file_tag: bool, variant: int) -> None:
        pack_id, pack = self.target(ask)
        if path == "pack.yaml":
            name, version = (pack.name, pack.content.version) if pack else (NAMES[0], VERSIONS[0])
            content = manifest(name, version, variant)
        tag = (pack and pack.content.etag(path)) or "sha256:0"
        condition: dict[str, Any] = {"if_match": tag} if file_tag else {}
        self.request("put_file", ask, pack_id=pack_id, path=path, content=content, **condition)

    @rule(
        ask=asks,
        files=st.dictionaries(one_of(*PATHS, "guides/new.md"), contents, max_size=2),
        states=one_of(None, None, *VERSIONS),
        deletions=st.lists(
            one_of(*PATHS, "guides/new.md", "guides/", "data/", "pack.yaml"), unique=True, max_size=2
        ),
    )
    def change(self, ask: Ask, files: dict[str, bytes], states: str | None, deletions: Sequence[str]) -> None:
        pack_id, pack = self.target(ask)
        if states is not None:
            files = {"pack.yaml": manifest(pack.name if pack else NAMES[0], states, 1)} | files
        files = dict(sorted(files.items()))
        self.request("change_pack", ask, pack_id=pack_id, files=files, deletions=deletions)

    @rule(
        ask=asks,
        visibility=one_of(None, "org", "community", "public"),
        replaces=st.booleans(),
        states_both=one_of(*(False,) * 9, True),
    )
    def start_upload(self, ask: Ask, visibility: str | None, replaces: bool, states_both: bool) -> None:
        pack_id = self.target(ask)[0] if replaces else None
        stated = None if replaces and not states_both else visibility
        self.request("start_upload", ask, visibility=stated, pack_id=pack_id)

    @precondition(lambda self: self.can_send)
    @rule(pick=picks, archive=archives(), soon=st.booleans())
    def send_archive(self, pick: int, archive: Archive, soon: bool) -> None:
        """A client posts an archive to its form. S3 takes none once the form's time is over."""
        number, upload_id = self.can_send[-1 - pick % len(self.can_send)]
        pack = self.one.find(self.one.uploads[number].target)
        archive = archive.named(pack.name) if pack else archive
        self.unsettled_notices.add(len(self.notices))
        self.notices.append((number, arrive(self.service, upload_id, packed(archive))))
        for model in self.states:
            model.uploads[number].archive = archive
        if soon:
            self.deliver_notice(len(self.notices) - 1, None)

    @precondition(lambda self: self.notices)
    @rule(pick=picks, fate=fates)
    def hear_of_archive(self, pick: int, fate: Fate | None) -> None:
        """S3 tells of an archive: late, or once more."""
        self.deliver_notice(-1 - pick % len(self.notices), fate)

    @rule(
        key=readers,
        what=one_of("pack", "pack", "host", "upload", "files", "file", "file", "role"),
        pick=picks,
        path=one_of(*PATHS, "pack.yaml", "guides/none.md"),
    )
    def look(self, key: Key, what: str, pick: int, path: str) -> None:
        pack_id = self.a_pack(key[0], pick)
        uploads = [upload.id for upload in self.one.uploads if upload.id] or ["upl_none"]
        requests: dict[str, tuple[str, dict[str, str | None]]] = {
            "pack": ("get_pack", {"pack_id": pack_id, "host": None}),
            "host": ("get_pack", {"pack_id": pack_id, "host": ORGS[pick % 3]}),
            "upload": ("get_upload", {"upload_id": uploads[-1 - pick % len(uploads)]}),
            "files": ("list_files", {"pack_id": pack_id}),
            "file": ("get_file", {"pack_id": pack_id, "path": path}),
            "role": ("get_role_packs", {"role_id": ROLES[pick % 2]}),
        }
        operation, args = requests[what]
        self.request(operation, Ask(key), None, **args)

    @rule(
        key=readers,
        filters=st.fixed_dictionaries(
            {}, optional={name: one_of(*values) for name, values in FILTERS.items()}
        ),
        limit=one_of(1, 1, 2, 50),
    )
    def begin_list(self, key: Key, filters: Mapping[str, str], limit: int) -> None:
        self.list_page(key, filters, limit)

    @precondition(lambda self: self.cursors)
    @rule(key=readers, pick=picks, limit=limits)
    def go_on_with_list(self, key: Key, pick: int, limit: int) -> None:
        """A cursor stays valid for its organisation, whatever has been written since, and for no other."""
        cursor = self.cursors[-1 - pick % len(self.cursors)]
        self.list_page(key, cursor.filters, limit, cursor)

    @rule(key=readers, pick=picks, limit=limits)
    def list_revisions(self, key: Key, pick: int, limit: int) -> None:
        self.walk_revisions(key, self.a_pack(key[0], pick), limit)

    @precondition(lambda self: self.inbox)
    @rule(order=st.permutations(range(6)), many=st.integers(1, 6), again=st.booleans(), fate=fates)
    def messages_arrive(self, order: Sequence[int], many: int, again: bool, fate: Fate | None) -> None:
        """Some messages arrive, in any order, and some that have been settled once more."""
        inbox = (self.inbox + self.settled[-3:]) if again else self.inbox
        for body in [inbox[n] for n in order[:many] if n < len(inbox)]:
            self.deliver_message(body, fate)

    @rule(
        seconds=one_of(1, 40, 121, 301, 961, 3000, 3600, 90_000, 90_000, 8 * 86_400, 31 * 86_400),
        back=one_of(0, 0, 7, 25),
        expires=one_of(0, 0, 1, 2),
    )
    def time_passes(self, seconds: int, back: int, expires: int) -> None:
        """The next function's clock may be behind. What expires may be deleted, or stay."""
        self.pass_time(timedelta(seconds=seconds), back=timedelta(seconds=back))
        if expires:
            self.expire(expires)

    @rule(ours=st.booleans(), mood=one_of(*MOODS))
    def registry_fails(self, ours: bool, mood: Mood) -> None:
        (self.service.registry if ours else self.elsewhere).moods[:] = [replace(mood)]

    @precondition(lambda self: self.service.registry.moods or self.elsewhere.moods)
    @rule()
    def registries_recover(self) -> None:
        self.heal_registries()

    @rule(org=one_of(*ORGS), what=one_of("lapses", "pays", "pays", "revokes a key"))
    def tenant_changes(self, org: str, what: str) -> None:
        tenants, posture = (
            self.clients.tenants,
            BillingPosture.PAST_DUE if what == "lapses" else BillingPosture.ACTIVE,
        )
        if what == "revokes a key":
            tenants.revoke_api_key(api_key_of((org, 1)), at=self.service.clock())
            self.revoked.add((org, 1))
            return
        posture = BillingPosture.PAST_DUE if what == "lapses" else BillingPosture.ACTIVE
        tenants.set_posture(org, billing=posture, trial_ends_at=None)
        for model in self.states:
            model.lapsed = model.lapsed - {org} | ({org} if what == "lapses" else set())

    @rule(name=one_of(*NAMES), version=one_of(*VERSIONS), variant=st.integers(0, 2), tag=one_of("1", "2"))
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
            self.upload(ask=Ask((ORGS[number % 3], 0)), archive=archive, visibility=visibility)
