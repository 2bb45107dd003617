"""Roles, what they pin, and what may be pulled at the distribution door (API contract, sections 8 and 12)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Self
from unittest.mock import ANY

from tests.reliability.model.expectations import (
    AsYaml,
    Expected,
    IfStated,
    OneOf,
    page,
    require,
    require_field,
)
from tests.reliability.model.packs import Content, Pin, timestamp
from tests.reliability.model.signatures import Signatures
from tests.reliability.model.state import Caller, Login, Name, require_revision

# What lock documents say of most images.
IN_USE: Final = frozenset({"active"})
_LOGIN_TIME: Final = timedelta(minutes=15)


class Roles(Signatures):
    """The operations on roles."""

    def set_role_packs(
        self, role_id: str, if_match: str | None, accept_capabilities: Any = None, **stated: Any
    ) -> Expected:
        """Replace the whole list: `pack_ids`, or `packs` with where each is pinned.

        What is new must be visible and not being deleted. It is pinned where it is now, unless the request says
        otherwise. What stays keeps its pin. The condition may be `new`, for a role that must not exist.
        """
        ((field, wishes),) = stated.items()
        history = self.roles.get((self.caller.org, role_id), [])
        before = {pin.pack_id: pin for pin in self.pins(self.caller.org, role_id)}
        wishes = [wish if field == "packs" else {"id": wish} for wish in wishes]
        new = {wish["id"]: self.find(wish["id"]) for wish in wishes if wish["id"] not in before}
        hidden = [i for i, pack in new.items() if not (pack and pack.is_visible_to(self.caller.org))]
        require(not hidden, 404, "pack_not_found", pack_ids=hidden)
        deleting = [i for i, pack in new.items() if pack and pack.deletion]
        require(not deleting, 409, "pack_deleting", pack_ids=deleting)
        pins = [self._pinned(wish, before.get(wish["id"]), keeps=field == "pack_ids") for wish in wishes]
        names = [pin.alias or self.at(pin)[0].name for pin in pins]
        require_field(len(set(names)) == len(names), field)
        accepted = self.consent(before, pins, accept_capabilities or {})
        self._require_signed(before, pins)
        there = bool(history) and history[-1].operation != "delete"
        fits = if_match in ((None, "*", str(len(history))) if there else (None, "new"))
        require(fits, 412, "precondition_failed", **({"revision": len(history)} if there else {}))
        self._require_usable(before, pins)
        self.write_role(role_id, "set", pins, accepted)
        return self.get_role_packs(role_id)

    def _require_signed(self, before: Mapping[str, Pin], pins: Iterable[Pin]) -> None:
        """Pins that are set or moved are at images that the signature policy accepts."""
        held = [self.at(pin) for pin in _set_or_moved(before, pins)]
        self.require_all_accepted(*((pack, entry.content) for pack, entry in held))

    def _require_usable(self, before: Mapping[str, Pin], pins: Iterable[Pin]) -> None:
        """Pins that are set or moved are at images in use."""
        held = [(*self.at(pin), pin.revision) for pin in sorted(_set_or_moved(before, pins))]
        self.require_all_usable(*((pack, entry.content, revision) for pack, entry, revision in held))

    def _pinned(self, wish: Mapping[str, Any], before: Pin | None, *, keeps: bool) -> Pin:
        kept = before if keeps and before else Pin(wish["id"], 0)
        follow, alias = wish.get("follow", kept.follow), wish.get("alias", kept.alias)
        pack = self.find(wish["id"])
        assert pack is not None
        begins = follow and not (before and before.follow)
        stays = before.revision if before and not begins else len(pack.history)
        pin = Pin(wish["id"], wish.get("revision", stays), follow, alias)
        require(pack.shows(pin.revision, self.caller.org), 404, "revision_not_found", pack_id=pack.id)
        return pin

    def consent(
        self, before: Mapping[str, Pin], pins: Sequence[Pin], accept: Mapping[str, int]
    ) -> list[tuple[str, int]]:
        """A pin moves to wider capabilities only if exactly that revision is accepted. Return those that are."""
        require_field(accept.keys() <= {pin.pack_id for pin in pins}, "accept_capabilities")
        moves = [(before[pin.pack_id], pin) for pin in pins if pin.pack_id in before]
        moves = [(old, new) for old, new in moves if old.revision != new.revision]
        wider = [new for old, new in moves if self.widens(old, new)]
        agreed = [new for _, new in moves if accept.get(new.pack_id) == new.revision]
        refused = [new for _, new in moves if new not in agreed and (new in wider or new.pack_id in accept)]
        difference = {new.pack_id: ANY for new in refused}
        require(not refused, 409, "capabilities_widened", capabilities=difference)
        return sorted((new.pack_id, new.revision) for new in wider)

    def refresh_role(
        self, role_id: str, if_match: str | None, pack_ids: Any = None, accept_capabilities: Any = None
    ) -> Expected:
        """Move pins to the present revisions: of some packs, or of all."""
        history, pins = self.role(role_id), self.pins(self.caller.org, role_id)
        before = {pin.pack_id: pin for pin in pins}
        missing = [pack_id for pack_id in pack_ids or () if pack_id not in before]
        require(not missing, 404, "pack_not_found", pack_ids=missing)
        chosen = before if pack_ids is None else pack_ids
        pins = tuple(pin.to(self.at(pin)[0]) if pin.pack_id in chosen else pin for pin in pins)
        accepted = self.consent(before, pins, accept_capabilities or {})
        self._require_signed(before, pins)
        require_revision(history, if_match)
        self._require_usable(before, pins)
        self.write_role(role_id, "refresh", pins, accepted)
        return self.get_role_packs(role_id)

    def delete_role(self, role_id: str, if_match: str | None) -> Expected:
        """Its pins are let go. A role of that id that is made again goes on in its history."""
        require_revision(self.role(role_id), if_match)
        self.write_role(role_id, "delete", ())
        return Expected(200, {"status": "deleted"})

    def lags(self, role: Name, pack_id: str) -> bool:
        """Return whether a pin is to follow its pack, which has another image in use.

        The pack may do no more than at the pin, and the organisation's signature policy accepts the image.
        """
        pack = self.find(pack_id)
        if pack is None or pack.withdrawn:
            return False
        brought = pack.brought.get(pack.content)
        if brought is not None and not self.accepts(role[0], brought):
            return False
        pins = [pin for pin in self.pins(*role) if pin.pack_id == pack_id and pin.follow]
        return any(self.is_stale(pin) and not self.widens(pin, pin.to(pack)) for pin in pins)

    def follow(self, roles: Iterable[Name], pack_id: str) -> Self:
        """The service moves the pins of roles that follow a pack."""
        for org, role_id in roles:
            self.caller = Caller(org, "follow", frozenset())
            pins = self.pins(org, role_id)
            moved = (pin.to(self.at(pin)[0]) if pin.pack_id == pack_id else pin for pin in pins)
            self.write_role(role_id, "follow", moved)
        return self

    def get_role_packs(self, role_id: str) -> Expected:
        revision, pins = len(self.role(role_id)), self.pins(self.caller.org, role_id)
        packs = [self._held(pin) for pin in pins]
        view = {
            "role_id": role_id,
            "revision": revision,
            "pack_ids": [pin.pack_id for pin in pins],
            "packs": packs,
        }
        # What is stale changes without a revision of the role, and so without this tag.
        stale = any(pack["stale"] or "deprecated" in pack or pack["status"] != "active" for pack in packs)
        return Expected(200, view, None if stale else f'"{revision}"')

    def _held(self, pin: Pin) -> dict[str, Any]:
        """Return how a role shows a pack: as it was at the pin, and whether it is another now."""
        pack, entry = self.at(pin)
        held: dict[str, Any] = {
            "id": pack.id,
            "name": pack.name,
            "owner": self.slugs[pack.org],
            "revision": pin.revision,
        }
        held |= {"alias": pin.alias} if pin.alias else {}
        said = pack.history[-1].deprecated
        held |= {"deprecated": dict(said)} if said else {}
        status = pack.image(entry.content).status
        return held | entry.image | {"follow": pin.follow, "stale": self.is_stale(pin), "status": status}

    def list_roles(self, query: Mapping[str, str], start: int) -> Expected:
        roles = [
            {
                "role_id": role_id,
                "revision": len(history),
                "pack_ids": [pin.pack_id for pin in history[-1].pins],
                "stale": any(map(self.is_stale, history[-1].pins)),
            }
            for (org, role_id), history in sorted(self.roles.items())
            if org == self.caller.org and history[-1].operation != "delete"
        ]
        return page("roles", roles[start:], query, {"next_cursor": IfStated(ANY)})

    def list_role_revisions(self, role_id: str, query: Mapping[str, str], start: int) -> Expected:
        entries = [
            {
                "revision": number,
                "operation": entry.operation,
                "actor": entry.actor,
                "at": timestamp(entry.at),
            }
            | {
                "pack_ids": [pin.pack_id for pin in entry.pins],
                "packs": [self._held_then(pin) for pin in entry.pins],
            }
            | ({"accepted_capabilities": dict(entry.accepted)} if entry.accepted else {})
            for number, entry in enumerate(self.role(role_id), start=1)
        ]
        return page("revisions", entries[::-1][start:], query, {})

    def _held_then(self, pin: Pin) -> dict[str, Any]:
        """Return what a role's history says of a pack, which may be gone."""
        pack = self.known(pin.pack_id)
        image = pack.history[pin.revision - 1].content if pack else None
        digest = image.digests["image_digest"] if image else ANY
        held = {"id": pin.pack_id, "revision": pin.revision, "follow": pin.follow, "image_digest": digest}
        return (
            held | ({"alias": pin.alias} if pin.alias else {}) | {"version": image.version if image else ANY}
        )

    def get_lock(self, role_id: str) -> Expected:
        """What a runtime needs of a role, which its revision decides."""
        role = self.get_role_packs(role_id).body
        packs = []
        for pin, held in zip(self.pins(self.caller.org, role_id), role["packs"], strict=True):
            pack, entry = self.at(pin)
            kept = ("image_ref", "follow", "stale", "deprecated")
            locked = {name: held[name] for name in held if name not in kept}
            caps = entry.content.manifest.get("capabilities")
            locked |= {"capabilities": AsYaml(caps)} if caps else {}
            locked["status"] = OneOf(self.told_of(self.caller.org, role_id, pin))
            digest = entry.content.image_digest
            packs.append(locked | {"image": f"{pack.place}@{digest}" if digest else ANY, "layers": ANY})
        view = {"lock_version": 1, "role_id": role_id, "revision": role["revision"], "packs": packs}
        known = all(pack["status"] == OneOf(IN_USE) for pack in packs)
        return Expected(200, view | {"set_digest": ANY}, f'"1.{role["revision"]}"' if known else None)

    def told_of(self, org: str, role_id: str, pin: Pin) -> frozenset[str]:
        """Return what a role's lock document may say of an image that it pins."""
        return self.told.get((org, role_id, pin.pack_id), IN_USE)

    def tell_roles(self, pack_id: str, *, for_sure: bool) -> Self:
        """The service tells roles of the state of the images that they pin; some of them, if it is not for sure."""
        for org, role_id in self.roles:
            for pin in self.pins(org, role_id):
                if pin.pack_id == pack_id:
                    pack, entry = self.at(pin)
                    said = frozenset({pack.image(entry.content).status})
                    said |= frozenset() if for_sure else self.told_of(org, role_id, pin)
                    self.told[org, role_id, pack_id] = said
                    if said == IN_USE:
                        del self.told[org, role_id, pack_id]
        return self

    def issue_pull_token(self, role_id: str) -> Expected:
        self.role(role_id)
        end = timestamp(self.now + _LOGIN_TIME)
        login = {"registry": ANY, "username": role_id, "password": ANY, "expires_at": end}
        return Expected(200, login | {"docker_config": ANY})

    def pull(self, login: Login, owner: str, name: str, content: Content) -> Iterator[Expected]:
        """At the distribution door, a login opens what its role pins now, for as long as it lives.

        What is deleted is not found once the role has been told. Before that, the registry may have lost it.
        """
        if self.now >= login.ends_at:
            yield Expected(401, ANY)
            return
        statuses = {404}
        for pin in self.pins(login.org, login.role_id):
            pack, entry = self.at(pin)
            found = (self.slugs[pack.org], pack.name, entry.content) == (owner, name, content)
            if found and entry.image_ref.startswith(f"{self.host}/"):
                told = self.told_of(login.org, login.role_id, pin)
                gone = pack.image(content).status == "deleted"
                statuses = {404} if "deleted" in told else set()
                statuses |= set() if told == {"deleted"} else {200, 502} if gone else {200}
        yield from (Expected(status, ANY) for status in sorted(statuses))


def _set_or_moved(before: Mapping[str, Pin], pins: Iterable[Pin]) -> list[Pin]:
    return [pin for pin in pins if pin.pack_id not in before or before[pin.pack_id].revision != pin.revision]
