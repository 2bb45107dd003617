"""Single revisions, what differs between two, and which roles reference a pack (API contract, section 7)."""

from collections.abc import Mapping
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected, IfStated, page, require
from tests.reliability.model.packs import Content, Entry, Pack
from tests.reliability.model.state import State

_KEYS = ("version", "display_name", "description", "category", "capabilities", "suggested_packs")


class Comparisons(State):
    """The operations that read more of a pack than what it is now."""

    def get_revision(self, pack_id: str, n: str) -> Expected:
        """Return the pack as it was. Who wrote the revision is for the owner."""
        pack = self.visible(pack_id)
        entry = self._entry(pack, n)
        view = pack.view(self.caller.org, int(n))
        del view["attestations"]
        status = pack.image(entry.content).status
        view |= {"revision": int(n), "operation": entry.operation, "status": status}
        return Expected(200, view | ({"actor": entry.actor} if pack.org == self.caller.org else {}))

    def list_files(self, pack_id: str, query: Mapping[str, str]) -> Expected:
        pack = self.visible(pack_id)
        content = self._content(pack, query)
        files = [
            {"path": path, "size": len(held), "mode": "0644", "digest": content.etag(path)}
            for path, held in sorted(content.files.items())
        ]
        digest = content.digests["content_digest"].value
        listed = {"files": files, "revision": int(query.get("revision", len(pack.history)))}
        return Expected(200, listed | content.digests | {"content_digest": digest})

    def get_file(self, pack_id: str, path: str, query: Mapping[str, str]) -> Expected:
        content = self._content(self.visible(pack_id), query)
        require(path in content.files, 404, "file_not_found")
        return Expected(200, content.files[path], f'"{content.etag(path)}"')

    def get_diff(self, pack_id: str, query: Mapping[str, str]) -> Expected:
        """Compare two revisions. Their files are known while their images, or the indexes of these, are there."""
        pack = self.visible(pack_id)
        before, after = (self._shown(pack, query[name]) for name in ("from", "to"))
        old, new = before.content.files, after.content.files
        files = {
            "added": [
                {"path": path, "size": ANY, "mode": ANY, "digest": ANY} for path in sorted(new.keys() - old)
            ],
            "removed": [
                {"path": path, "size": ANY, "mode": ANY, "digest": ANY} for path in sorted(old.keys() - new)
            ],
            "changed": [
                {"path": path, "from": ANY, "to": ANY}
                for path in sorted(new.keys() & old.keys())
                if new[path] != old[path]
            ],
        }
        stated = [entry.content.manifest for entry in (before, after)]
        manifest = [key for key in _KEYS if stated[0].get(key) != stated[1].get(key)]
        widened = bool(after.content.allows - before.content.allows)
        differs = {name: IfStated(ANY) for name in ("added", "removed", "example")}
        step = "major" if widened or files["removed"] else "minor" if files["added"] else "patch"
        if not (widened or manifest or any(files.values())):
            step = "none"
        return Expected(
            200,
            {
                "from": int(query["from"]),
                "to": int(query["to"]),
                "manifest": manifest,
                "capabilities": differs | {"widened": widened},
                "files": IfStated(files),
                "files_unknown": IfStated(ANY),
                "bump": IfStated(step),
            },
        )

    def list_references(self, pack_id: str, query: Mapping[str, str], start: int) -> Expected:
        """Return the roles of the caller's organisation that hold a pack; to its owner, how many others do."""
        pack = self.visible(pack_id)
        held = [
            (org, role_id, pin)
            for (org, role_id), _ in sorted(self.roles.items())
            for pin in self.pins(org, role_id)
            if pin.pack_id == pack_id
        ]
        roles = [
            {
                "role_id": role_id,
                "revision": pin.revision,
                "follow": pin.follow,
                "stale": self.is_stale(pin),
            }
            for org, role_id, pin in held
            if org == self.caller.org
        ]
        answer = page("roles", roles[start:], query, {})
        if pack.org == self.caller.org:
            answer.body["others"] = sum(org != pack.org for org, _, _ in held)
        return answer

    def _content(self, pack: Pack, query: Mapping[str, str]) -> Content:
        """Return what is read of a pack: at a revision, or at its present one."""
        return self._shown(pack, query["revision"]).content if "revision" in query else pack.content

    def _shown(self, pack: Pack, number: str) -> Entry:
        """Return an entry whose content can be read."""
        entry = self._entry(pack, number)
        require(pack.image(entry.content).status != "deleted", 404, "revision_not_found", pack_id=pack.id)
        return entry

    def _entry(self, pack: Pack, number: str) -> Entry:
        require(pack.shows(int(number), self.caller.org), 404, "revision_not_found", pack_id=pack.id)
        return pack.history[int(number) - 1]
