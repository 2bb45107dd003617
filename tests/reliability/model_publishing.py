"""How packs come to be, and get another image: from archives, from images, from one another."""

from tests.reliability.expectations import Expected, Learnt, Refused
from tests.reliability.model_packs import ABSENT, Archive, Content, Pack, Reference
from tests.reliability.model_state import VISIBILITIES, Caller, State


class Publishing(State):
    """The part of the contract that is about publishing."""

    # -- packs from archives --------------------------------------------------------------------------------------

    def upload(self, caller: Caller, archive: Archive, visibility: str, key: str | None = None) -> Expected:
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")
        return self.once(
            caller,
            "upload",
            key,
            (archive, visibility),
            lambda: self.create_of_archive(caller.org, caller.actor, archive, visibility)[1],
        )

    def create_of_archive(
        self, org: str, actor: str, archive: Archive, visibility: str
    ) -> tuple[Pack, Expected]:
        content = archive.content()
        standing = self.holder(org, content.name)
        if standing is not None:
            if standing.is_active and (standing.content, standing.visibility) == (content, visibility):
                return standing, standing.answer(200, org)
            raise _taken(standing)
        return self._create(org, actor, "upload", name=content.name, content=content, visibility=visibility)

    def reupload(
        self,
        caller: Caller,
        pack_id: str,
        archive: Archive,
        if_match: str | None = None,
        key: str | None = None,
    ) -> Expected:
        self.admit(caller, write=True, create=True)
        request = (pack_id, archive, if_match)
        return self.once(
            caller,
            "reupload",
            key,
            request,
            lambda: self.replace_by_archive(caller.org, caller.actor, pack_id, archive, if_match)[1],
        )

    def replace_by_archive(
        self, org: str, actor: str, pack_id: str, archive: Archive, if_match: str | None = None
    ) -> tuple[Pack, Expected]:
        content = archive.content()
        pack = self.owned(pack_id, org)
        if pack.origin != "upload":
            raise Refused.by_fields("id")
        if content.name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        self.require_changeable(pack, if_match)
        if pack.content != content:
            self.publish(pack, "reupload", actor, content)
        return pack, pack.answer(200, org)

    def _create(
        self,
        org: str,
        actor: str,
        origin: str,
        *,
        name: str,
        content: Content,
        visibility: str,
        ref: str = "",
    ) -> tuple[Pack, Expected]:
        pack = Pack(
            org=org,
            name=name,
            origin=origin,
            visibility=visibility,
            content=content,
            image_ref=ref or self.built_ref(org, name, content.version),
            created_at=self.now,
            updated_at=self.now,
        )
        pack.enter("create" if origin == "image_ref" else origin, actor)
        self.packs.append(pack)
        self.pushed_to = (org, name)
        if origin != "image_ref":
            self.set_tag(pack, content)
        return pack, pack.answer(201, org)

    def publish(self, pack: Pack, operation: str, actor: str, content: Content) -> None:
        ref = self.built_ref(pack.org, pack.name, content.version)
        self.pushed_to = (pack.org, pack.name)
        self.set_tag(pack, content)
        pack.change(operation, actor, self.now, content=content, image_ref=ref)

    def built_ref(self, org: str, name: str, version: str) -> str:
        return f"{self.host}/packs/{org}/{name}:{version}"

    # -- packs from images ----------------------------------------------------------------------------------------

    def resolve(self, reference: Reference, org: str) -> frozenset[Content]:
        """What a reference may stand for: one thing, unless a crash has left it open where a tag points."""
        if reference.registry == self.host:
            owner, _, name = reference.repository.removeprefix("packs/").partition("/")
            if owner != org:
                return frozenset({ABSENT})
            if reference.content is None:
                return self.tags.get((org, name), {}).get(reference.tag, frozenset({ABSENT}))
            holder = self.holder(org, name)
            if holder is not None and holder.is_active and holder.had(reference.content):
                return frozenset({reference.content})
            left = (org, name) in self.abandoned or holder is not None
            return frozenset({ABSENT, reference.content} if left else {ABSENT})
        if reference.content is None:
            return frozenset({self.elsewhere.get(reference.repository, {}).get(reference.tag, ABSENT)})
        pushed = (reference.repository, reference.content) in self.pushed_elsewhere
        return frozenset({reference.content if pushed else ABSENT})

    def create(
        self,
        caller: Caller,
        reference: Reference,
        visibility: str,
        key: str | None = None,
        *,
        found: Content,
    ) -> Expected:
        """`found` is what the reference resolves to."""
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")

        def register() -> Expected:
            if found is ABSENT or not self._goes_with_its_name(reference, caller.org, found):
                raise Refused.by_fields("image_ref")
            standing = self.holder(caller.org, found.name)
            wanted = ("image_ref", reference.text, found, visibility)
            if standing is None:
                return self._create(
                    caller.org,
                    caller.actor,
                    "image_ref",
                    name=found.name,
                    content=found,
                    visibility=visibility,
                    ref=reference.text,
                )[1]
            stands = (standing.origin, standing.image_ref, standing.content, standing.visibility)
            if standing.is_active and stands == wanted:
                return standing.answer(200, caller.org)
            raise _taken(standing)

        return self.once(caller, "create", key, (reference.text, visibility), register)

    def _goes_with_its_name(self, reference: Reference, org: str, found: Content) -> bool:
        """In the service's own registry, an image is where the name of its pack guards it."""
        return reference.registry != self.host or reference.repository == f"packs/{org}/{found.name}"

    def replace(
        self,
        caller: Caller,
        pack_id: str,
        reference: Reference,
        if_match: str | None = None,
        *,
        found: Content,
    ) -> Expected:
        """Only tag or digest may change; for a built pack this is the way back to an earlier version."""
        self.admit(caller, write=True, create=True)
        pack = self.owned(pack_id, caller.org)
        if pack.repository != f"{reference.registry}/{reference.repository}":
            raise Refused.by_fields("image_ref")
        self.require_changeable(pack, if_match)
        if found is ABSENT:
            raise Refused.by_fields("image_ref")
        if found.name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        if (pack.image_ref, pack.content) != (reference.text, found):
            self.pushed_to = (pack.org, pack.name)
            pack.change("replace", caller.actor, self.now, content=found, image_ref=reference.text)
        return pack.answer(200, caller.org)

    def clone(
        self, caller: Caller, pack_id: str, name: str | None, visibility: str, key: str | None = None
    ) -> Expected:
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")

        def clone() -> Expected:
            source = self.visible(pack_id, caller)
            if source.status == "deleting":
                raise Refused(409, "pack_deleting")
            standing = self.holder(caller.org, name or source.name)
            if standing is None:
                return self._create(
                    caller.org,
                    caller.actor,
                    "clone",
                    name=name or source.name,
                    content=source.content,
                    visibility=visibility,
                )[1]
            wanted = ("clone", source.content, visibility)
            stands = (standing.origin, standing.content, standing.visibility)
            if standing.is_active and standing is not source and stands == wanted:
                return standing.answer(200, caller.org)
            raise _taken(standing)

        return self.once(caller, "clone", key, (pack_id, name, visibility), clone)


def _taken(holder: Pack) -> Refused:
    return Refused(409, "pack_name_taken", pack_id=Learnt(holder, "id", "pack_"))
