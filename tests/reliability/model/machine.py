"""Three organisations that do everything that clients can do, in any order, while anything may fail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import yaml
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from tests.fake_registry.moods import CutsOff, HangsUp, Mood, Refuses
from tests.reliability.model.clients import ORGS, packed
from tests.reliability.model.packs import NO_PATHS, NO_PLACES, Archive, Pack, Reference
from tests.reliability.model.runs import Ask, Fate, Run
from tests.reliability.model.state import READER, Key, Login
from tests.service import ACME
from tests.signatures import Key as Signer
from tests.staged_uploads import arrive
from tests.usage import limit

from packyard.packs.usage import Quota
from packyard.tenants.org import BillingPosture

# Few of each kind, so that requests often concern the same things.
NAMES: Final = ("alpha", "beta", "gamma")
VERSIONS: Final = ("1.0.0", "1.1.0", "2.0.0")
TAKEN_BACK: Final = ("withdraw", "restore", "erase", "keep")
PATHS: Final = ("guides/a.md", "README.md", "data/deep/b.txt")
ROLES: Final = ("support", "sales")
# Stands for the latest key that a caller of an organisation has made.
MADE: Final = READER + 1
NO_WEBHOOK: Final = "whk_01HZZZZZZZZZZZZZZZZZZZZZZZ"
NO_FEED: Final = "feed_01HZZZZZZZZZZZZZZZZZZZZZZZ"
UNKNOWN: Final = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"


def _capabilities(*methods: str) -> Sequence[Mapping[str, Any]]:
    return [{"name": "api", "type": "http", "allow": [{"domains": ["api.test"], "methods": list(methods)}]}]


# What a `pack.yaml` may state besides its name and version.
VARIANTS: Final[Sequence[Mapping[str, Any]]] = (
    {},
    {"category": "messaging", "description": "Talks.", "capabilities": _capabilities("GET")},
    {"display_name": "The pack", "suggested_packs": ["jira", "github"], "category": "crm"}
    | {"capabilities": _capabilities("GET", "POST")},
)
# Whoever signs images elsewhere.
SIGNERS: Final = tuple(Signer(derive_private_key(number, SECP256R1())) for number in (1, 2))
SIGNED_BY: Final = ((), SIGNERS[:1], SIGNERS[1:], SIGNERS)


def _signed(images: str, *by: int) -> Mapping[str, Any]:
    return {
        "images": [images],
        "signers": [{"name": f"key {number}", "key": SIGNERS[number].pem} for number in by],
    }


# Of the last two, the second names another repository first, and the third refuses what was not pushed elsewhere.
SIGNATURE_POLICIES: Final[Sequence[Mapping[str, Any]]] = (
    {"rules": [], "otherwise": "accept"},
    {"rules": [], "otherwise": "refuse"},
    {"rules": [_signed("**", 0)], "otherwise": "accept"},
    {"rules": [_signed("**", 0, 1)], "otherwise": "accept"},
    {"rules": [_signed("*/team/alpha", 1), _signed("**", 0)], "otherwise": "accept"},
    {"rules": [_signed("*/team/beta", 0)], "otherwise": "accept"},
    {"rules": [_signed("*/team/*", 1)], "otherwise": "refuse"},
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
writers = st.tuples(one_of(*ORGS), one_of(*(0,) * 10, 1, 1, READER, MADE, MADE))
readers = st.tuples(one_of(*ORGS), one_of(READER, READER, 0, 1, MADE))
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
keys_once = one_of(None, None, None, None, "k1", "k2")
asks = st.builds(Ask, writers, picks, conditions, keys_once, fates, one_of(False, False, False, True))
# A pack of a role, and how it is to be held: by its id alone, or with a revision, following, under another name.
held = st.tuples(
    picks, one_of("id", "id", "id", "id", "at", "at", "follow", "follow", "alias"), st.integers(1, 3)
)
# How packs are shared, attached to roles and deleted: a request, the packs of a role and whether it must be new.
moves = st.tuples(
    asks,
    one_of(
        *(*("attach",) * 4, "share", "share", "deprecate", "delete", "refresh", "refresh", "drop"),
        *("withdraw", "withdraw", "restore", "erase", "erase", "keep"),
    ),
    st.lists(held, max_size=3),
    visibilities,
    one_of(*(False,) * 6, True),
    one_of(None, None, "right", "stale"),
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
        held = (pack for pack in model.packs if pack.org == org)
        return next((p.id for p in held if any(holder != org for holder, _ in model.holders(p))), None)

    def target(self, ask: Ask) -> tuple[str, Pack | None]:
        """Return the id of the pack that is asked for, and the pack if there is one."""
        pack_id = self.a_pack(ask.key[0], ask.pick)
        return pack_id, self.one.find(pack_id)

    def a_reference(self, org: str, pick: int, by_digest: bool) -> Reference:
        """Return a reference to an image of another registry, or of a pack in ours."""
        model = self.one
        if pick < 4:
            return self.a_reference_elsewhere(f"team/{NAMES[pick % 3]}", pick, by_digest)
        packs = [pack for pack in model.packs if pack.origin != "image_ref"]
        if pick < 8:
            packs = [pack for pack in packs if pack.org == org and not pack.deletion] or packs
        if not packs:
            return Reference(f"{model.host}/packs/{org}/alpha", "1.0.0")
        pack = packs[-1 - pick % len(packs)]
        return pack.reference(pick, f"{model.host}/packs/{pack.org}/{pack.name}", by_digest=by_digest)

    def a_reference_elsewhere(self, repository: str, pick: int, by_digest: bool) -> Reference:
        tags = sorted(self.one.elsewhere[repository].items())
        tag, content = tags[pick % 2 % len(tags)]
        place = f"{self.elsewhere.url.partition('://')[2]}/{repository}"
        return Reference.to(place, content, tag=tag, by_digest=by_digest)

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
            repository = pack.place.partition("/")[2]
            if repository in self.one.elsewhere:
                reference = self.a_reference_elsewhere(repository, image_pick, by_digest)
        self.request("replace_pack", ask, pack_id=pack_id, image_ref=reference)

    @rule(ask=asks, name=one_of(None, *NAMES), visibility=visibilities)
    def clone(self, ask: Ask, name: str | None, visibility: str) -> None:
        self.request("clone_pack", ask, pack_id=self.target(ask)[0], name=name, visibility=visibility)

    @rule(moves=st.lists(moves, min_size=1, max_size=5))
    def hold_share_delete(
        self, moves: Sequence[tuple[Ask, str, Sequence[Any], str, bool, str | None]]
    ) -> None:
        """Roles hold packs, and so decide who may hide or delete them."""
        for ask, what, chosen, visibility, must_be_new, consents in moves:
            (pack_id, _), role = self.target(ask), ROLES[ask.pick > 5]
            accepts = self.consent(ask.key[0], role, consents)
            if what == "attach":
                self.set_role(ask, role, chosen, must_be_new, accepts)
            elif what == "refresh":
                some = [pack_id] if ask.pick > 7 else None
                self.request("refresh_role", ask, role_id=role, pack_ids=some, accept_capabilities=accepts)
            elif what == "drop":
                self.request("delete_role", ask, role_id=role)
            elif what == "share":
                held = self.held_by_others(ask.key[0]) if ask.pick < 4 else None
                self.request("update_pack", ask, pack_id=held or pack_id, visibility=visibility)
            elif what == "deprecate":
                said = {"message": f"Deprecated, {visibility}."}
                shared = visibility if ask.pick > 7 else None
                self.request("update_pack", ask, pack_id=pack_id, deprecated=said, visibility=shared)
            elif what in TAKEN_BACK:
                self.take_back(ask, what, consents)
            else:
                self.request("delete_pack", ask, pack_id=pack_id)

    def take_back(self, ask: Ask, what: str, how: str | None) -> None:
        """A revision is withdrawn, restored or deleted, mostly one that is not the present one; or old ones go."""
        pack_id, pack = self.target(ask)
        last = len(pack.history) if pack else 1
        if what == "keep":
            tag = f"keep-{'all' if pack is None or pack.keep is None else pack.keep}"
            condition = {"right": tag, "stale": "keep-99"}.get(ask.if_match or "", ask.if_match)
            keep = {"right": 9, "stale": 2}.get(how or "", 1)
            self.request("set_retention", ask, pack_id=pack_id, keep=keep, if_match=condition)
            return
        number = max(1, last - (0 if how == "stale" else 1 + ask.pick % 2)) if ask.pick < 9 else last + 1
        args: dict[str, Any] = {"pack_id": pack_id, "n": str(number)}
        if what == "withdraw":
            self.request("withdraw_revision", ask, reason=f"Because of {ask.pick}.", **args)
        elif what == "restore":
            self.request("restore_revision", ask, **args)
        else:
            query = {"force": "true"} if how == "right" else {}
            self.request("delete_revision", ask, query=query, **args)

    def consent(self, org: str, role: str, consents: str | None) -> dict[str, int] | None:
        """Return a consent to the present capabilities of a role's packs, or to others."""
        held = [self.one.at(pin)[0] for pin in self.one.pins(org, role)]
        wrong = consents == "stale"
        return {str(pack.id): len(pack.history) + wrong for pack in held} if consents else None

    def set_role(
        self, ask: Ask, role: str, chosen: Sequence[Any], must_be_new: bool, accepts: dict[str, int] | None
    ) -> None:
        org, _ = ask.key
        self.roles.add((org, role))
        shared = [pack.id for pack in self.one.packs if not pack.deletion and pack.is_visible_to(org)]
        how = {
            shared[-1 - pick] or UNKNOWN if pick < min(6, len(shared)) else self.a_pack(org, pick): (
                way,
                number,
            )
            for pick, way, number in chosen
        }
        ways = {"at": "revision", "follow": "follow", "alias": "alias"}
        entries = [
            {"id": pack_id}
            | ({ways[way]: {"at": number, "follow": True, "alias": f"a{number}"}[way]} if way in ways else {})
            for pack_id, (way, number) in how.items()
        ]
        packs: dict[str, Any] = {"pack_ids": list(how)} if ask.pick % 3 else {"packs": entries}
        accepts = {pack_id: accepts[pack_id] for pack_id in accepts if pack_id in how} if accepts else None
        new: dict[str, Any] = {"if_match": "new"} if must_be_new else {}
        self.request("set_role_packs", ask, role_id=role, accept_capabilities=accepts, **packs, **new)

    @precondition(lambda self: self.followed)
    @rule(pick=picks, fate=fates)
    def hear_of_pack(self, pick: int, fate: Fate | None) -> None:
        """The table's stream tells of a pack that roles follow: soon, late or once more."""
        self.stream_tells(self.followed[pick % len(self.followed)], fate)

    @rule(
        ask=asks,
        what=one_of("make", "make", "revoke"),
        scopes=one_of(["full_access"], ["caps:write"], ["roles:write", "keys:write"], []),
        expires_in=one_of(None, None, 60, 3600, 365 * 86_400),
    )
    def keys(self, ask: Ask, what: str, scopes: Sequence[str], expires_in: int | None) -> None:
        """Callers make keys, which then ask as others do, and revoke keys."""
        if what == "revoke":
            known = [key for key, made in self.one.keys.items() if made.id and key[1] not in (0, READER)]
            mine = [key for key in known if key[0] == ask.key[0]] if ask.pick < 8 else known
            self.request(
                "revoke_key",
                ask,
                key_id=self.one.keys[mine[-1 - ask.pick % len(mine)]].id if mine else "0" * 64,
            )
            return
        # No two are made at one time, so that their order is known.
        self.pass_time(timedelta(seconds=1, milliseconds=1))
        self.made_keys += 1
        made = {"label": "made", "scopes": scopes, "expires_in": expires_in}
        body = self.request("create_key", ask, {"number": READER + self.made_keys}, **made)
        if body and "key" in body:
            self.clients.secrets[ask.key[0], READER + self.made_keys] = body["key"]

    @rule(ask=asks)
    def log_in(self, ask: Ask) -> None:
        """A login at the distribution door, for a role."""
        body = self.request("issue_pull_token", ask, role_id=ROLES[ask.pick > 5])
        if body and "password" in body:
            end = datetime.fromisoformat(body["expires_at"])
            self.logins.append(Login(ask.key[0], body["username"], body["password"], end))

    @precondition(lambda self: self.logins and self.one.packs and not self.trouble_of(None))
    @rule(login=picks, pick=picks, number=picks)
    def pull(self, login: int, pick: int, number: int) -> None:
        """Mostly what the role pins, else any image."""
        one, at = self.one, self.logins[-1 - login % len(self.logins)]
        if pins := one.pins(at.org, at.role_id)[pick:]:
            pack, entry = one.at(pins[0])
        else:
            pack = one.packs[-1 - pick % len(one.packs)]
            entry = pack.history[number % len(pack.history)]
        self.pull_image(at, pack, entry.content)

    @rule(
        ask=asks,
        path=one_of(*PATHS, *PATHS, "pack.yaml", "guides/new.md", *NO_PATHS, *NO_PLACES),
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
        what=one_of(
            *("pack", "pack", "host", "upload", "files", "file", "file", "role", "lock", "image", "image"),
            *("revision", "diff", "usage", "retention", "policy", "webhooks", "signatures", "brought"),
        ),
        pick=picks,
        path=one_of(*PATHS, "pack.yaml", "guides/none.md"),
    )
    def look(self, key: Key, what: str, pick: int, path: str) -> None:
        pack_id = self.a_pack(key[0], pick)
        uploads = [upload.id for upload in self.one.uploads if upload.id] or ["upl_none"]
        then = {"revision": str(1 + pick % 3)} if pick % 2 else {}
        requests: dict[str, tuple[str, dict[str, Any]]] = {
            "pack": ("get_pack", {"pack_id": pack_id, "host": None}),
            "host": ("get_pack", {"pack_id": pack_id, "host": ORGS[pick % 3]}),
            "usage": ("get_usage", {}),
            "policy": ("version_policy", {}),
            "signatures": ("signature_policy", {}),
            "brought": ("list_attestations", {"pack_id": pack_id}),
            "webhooks": ("list_webhooks", {}),
            "retention": ("get_retention", {"pack_id": pack_id}),
            "upload": ("get_upload", {"upload_id": uploads[-1 - pick % len(uploads)]}),
            "files": ("list_files", {"pack_id": pack_id, "query": then}),
            "file": ("get_file", {"pack_id": pack_id, "path": path, "query": then}),
            "role": ("get_role_packs", {"role_id": ROLES[pick > 5]}),
            "lock": ("get_lock", {"role_id": ROLES[pick > 5]}),
            "image": ("download_pack", {"pack_id": pack_id, "query": {"revision": str(1 + pick % 3)}}),
            "revision": ("get_revision", {"pack_id": pack_id, "n": str(1 + pick % 3)}),
            "diff": (
                "get_diff",
                {"pack_id": pack_id, "query": {"from": str(1 + pick % 3), "to": str(1 + pick % 2)}},
            ),
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
    def list_some(self, key: Key, filters: Mapping[str, str], limit: int) -> None:
        self.list_page(key, filters, limit)

    @precondition(lambda self: self.cursors)
    @rule(key=readers, pick=picks, limit=limits)
    def go_on_with_list(self, key: Key, pick: int, limit: int) -> None:
        """A cursor stays valid for its organisation, whatever has been written since, and for no other."""
        cursor = self.cursors[-1 - pick % len(self.cursors)]
        self.list_page(key, cursor.filters, limit, cursor)

    @rule(
        key=readers,
        pick=picks,
        limit=limits,
        what=one_of("pack", "pack", "holders", "role", "roles", "keys", "feeds"),
    )
    def walk_a_list(self, key: Key, pick: int, limit: int, what: str) -> None:
        lists: dict[str, tuple[str, dict[str, str]]] = {
            "pack": ("list_revisions", {"pack_id": self.a_pack(key[0], pick)}),
            "holders": ("list_references", {"pack_id": self.a_pack(key[0], pick)}),
            "role": ("list_role_revisions", {"role_id": ROLES[pick > 5]}),
            "roles": ("list_roles", {}),
            "keys": ("list_keys", {}),
            "feeds": ("list_feeds", {}),
        }
        operation, args = lists[what]
        self.walk(operation, key, limit, **args)

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

    @rule(org=one_of(*ORGS), lapses=one_of(True, False, False))
    def billing_changes(self, org: str, lapses: bool) -> None:
        """The first rule by its name, which is cheap: Hypothesis begins with a walk or two of nothing else."""
        posture = BillingPosture.PAST_DUE if lapses else BillingPosture.ACTIVE
        before = self.clients.tenants.get_org(org)
        assert before is not None
        self.clients.tenants.set_posture(before, billing=posture, trial_ends_at=None)
        for model in self.states:
            model.lapsed = model.lapsed - {org} | ({org} if lapses else set())

    @rule(
        org=one_of(*ORGS),
        quota=one_of(Quota.PACKS, Quota.PUBLISHES_A_DAY),
        most=one_of(None, None, None, 0, 2, 5),
    )
    def limits_change(self, org: str, quota: Quota, most: int | None) -> None:
        """The operator limits what an organisation may use."""
        caller = replace(ACME, org_id=org)
        limit(self.service, quota, most, caller)
        for model in self.states:
            limits = {**model.limits.get(org, {}), quota.value: most}
            model.limits[org] = {name: number for name, number in limits.items() if number is not None}

    @rule(
        ask=asks,
        what=one_of("create_webhook", "create_webhook", "rotate_secret", "delete_webhook", *("change",) * 3),
        change=one_of({"state": "disabled"}, {"state": "active"}, {"description": "Ours."}),
    )
    def webhooks(self, ask: Ask, what: str, change: Any) -> None:
        if what == "create_webhook":
            self.request(what, ask, url=f"https://hooks.test/{ask.pick}")
            return
        own = [webhook for webhook in self.one.webhooks.get(ask.key[0], []) if webhook.id]
        webhook = own[-1 - ask.pick % len(own)] if own and ask.pick < 9 else None
        revision = webhook.revision if webhook else 1
        condition = {"right": str(revision), "stale": str(revision + 7)}.get(ask.if_match or "", ask.if_match)
        args: dict[str, Any] = {"webhook_id": webhook.id if webhook else NO_WEBHOOK, "if_match": condition}
        if what == "change":
            self.request("change_webhook", ask, **args, **change)
        else:
            self.request(what, ask, **args)

    @rule(
        ask=asks,
        what=one_of("create_feed", "create_feed", "get_feed", "get_feed", "remove_feed"),
        of_packs=st.booleans(),
        expires_in=one_of(None, None, 60, 365 * 86_400),
    )
    def serve_feeds(self, ask: Ask, what: str, of_packs: bool, expires_in: int | None) -> None:
        """Feeds are made, of roles and of packs; they are read, with what the doors serve; and they are removed."""
        if what != "create_feed":
            known = [feed.id for feeds in self.one.feeds.values() for feed in feeds if feed.id]
            mine = [feed.id for feed in self.one.feeds.get(ask.key[0], []) if feed.id]
            some = (mine if ask.pick < 8 else known) or [NO_FEED]
            self.request(what, ask, feed_id=some[-1 - ask.pick % len(some)])
            return
        # No two are made at one time, so that their order is known.
        self.pass_time(timedelta(seconds=1, milliseconds=1))
        pack_ids = sorted({self.target(ask)[0], self.a_pack(ask.key[0], 9 - ask.pick)}) if of_packs else None
        role_id = None if of_packs else ROLES[ask.pick > 5]
        self.request(what, ask, role_id=role_id, pack_ids=pack_ids, expires_in=expires_in)

    @rule(ask=asks, policy=one_of("free", "free", "increasing", "immutable"))
    def rule_versions(self, ask: Ask, policy: str) -> None:
        _, revision = self.one.policies.get(ask.key[0], ("free", 0))
        condition = {"right": str(revision), "stale": str(revision + 7)}.get(ask.if_match or "")
        self.request("set_version_policy", ask, version_policy=policy, if_match=condition)

    @rule(ask=asks, policy=one_of(*SIGNATURE_POLICIES))
    def rule_signatures(self, ask: Ask, policy: Mapping[str, Any]) -> None:
        _, revision = self.one.signature_policies.get(ask.key[0], ({}, 0))
        condition = {"right": str(revision), "stale": str(revision + 7)}.get(ask.if_match or "")
        self.request("set_signature_policy", ask, if_match=condition, **policy)

    @rule(
        name=one_of(*NAMES),
        version=one_of(*VERSIONS),
        variant=st.integers(0, 2),
        tag=one_of("1", "2"),
        signers=one_of(*SIGNED_BY),
    )
    def somebody_pushes_elsewhere(
        self, name: str, version: str, variant: int, tag: str, signers: Sequence[Signer]
    ) -> None:
        self.push_elsewhere(name, manifest(name, version, variant), tag, signers)

    @precondition(lambda self: self.steps - self.settled_at > 20)
    @rule()
    def everything_settles(self) -> None:
        self.settle_everything()

    @initialize(
        made=st.lists(archives(), min_size=3, max_size=5),
        visibility=visibilities,
        variant=st.integers(0, 2),
        consents=one_of(None, "right", "stale"),
        takes_back=one_of(None, "withdraw", "erase", "keep"),
    )
    def there_is_something(
        self,
        made: Sequence[Archive],
        visibility: str,
        variant: int,
        consents: str | None,
        takes_back: str | None,
    ) -> None:
        """Organisations have packs, and roles that follow one. One of these has got a new archive."""
        for number, archive in enumerate(made):
            self.upload(ask=Ask((ORGS[number % 3], 0)), archive=archive, visibility=visibility)
        for org in ORGS:
            self.set_role(Ask((org, 0)), ROLES[0], [(0, "follow", 1)], must_be_new=True, accepts=None)
        ask, role = Ask((ORGS[0], 0)), ROLES[0]
        for pin in self.one.pins(ORGS[0], role):
            pack, _ = self.one.at(pin)
            files = {"pack.yaml": manifest(pack.name, "2.0.0", variant)}
            self.request("reupload_pack", ask, pack_id=pin.pack_id, archive=Archive(tuple(files.items())))
            self.stream_tells(pin.pack_id, None)
            accepts = self.consent(ORGS[0], role, consents)
            self.request("refresh_role", ask, role_id=role, accept_capabilities=accepts)
            self.log_in(ask=ask)
            pack, _ = self.one.at(pin)
            for entry in pack.history:
                self.pull_image(self.logins[-1], pack, entry.content)
            if takes_back is not None:
                self.take_back(ask, takes_back, None)
                self.stream_tells(pin.pack_id, None)
                earlier = {"id": pin.pack_id, "revision": max(1, len(pack.history) - 1)}
                self.roles.add((ORGS[0], ROLES[1]))
                self.request("set_role_packs", ask, role_id=ROLES[1], packs=[earlier])
                self.request("get_lock", ask, role_id=role)

    @initialize(
        policies=st.tuples(*(one_of(*SIGNATURE_POLICIES) for _ in ORGS)),
        signed=st.lists(one_of(*SIGNED_BY), min_size=5, max_size=5),
        pick=st.integers(0, 2),
        follows=st.booleans(),
    )
    def images_are_registered(
        self,
        policies: Sequence[Mapping[str, Any]],
        signed: Sequence[Sequence[Signer]],
        pick: int,
        follows: bool,
    ) -> None:
        """One organisation registers an image, and moves the pack to another one, which is signed again later.

        Others use it, as their policies let them.
        """
        for name, signers in zip(NAMES, signed, strict=False):
            self.push_elsewhere(name, manifest(name, "1.0.0", pick), "1", signers)
        user, owner, cloner = (Ask((org, 0)) for org in ORGS)
        name, self.roles = NAMES[pick], self.roles | {(user.key[0], ROLES[1])}
        self.rule_signatures(ask=user, policy=policies[0])
        reference = self.a_reference_elsewhere(f"team/{name}", 0, by_digest=False)
        self.request("create_pack", owner, image_ref=reference, visibility="community")
        self.rule_signatures(ask=owner, policy=policies[1])
        pack = self.one.holder(owner.key[0], name)
        if pack is not None and pack.id is not None:
            self.request("set_role_packs", user, role_id=ROLES[1], packs=[{"id": pack.id, "follow": True}])
            for signers in signed[3:]:
                self.push_elsewhere(name, manifest(name, "2.0.0", pick), "2", signers)
                reference = self.a_reference_elsewhere(f"team/{name}", 1, by_digest=False)
                self.request("replace_pack", owner, pack_id=pack.id, image_ref=reference)
                if follows:
                    self.stream_tells(pack.id, None)
                else:
                    self.request("refresh_role", user, role_id=ROLES[1])
            self.rule_signatures(ask=cloner, policy=policies[2])
            self.request("clone_pack", cloner, pack_id=pack.id, name=None, visibility="org")
