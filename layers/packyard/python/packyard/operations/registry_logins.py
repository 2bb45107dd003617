"""Logins at the registry itself, for the repositories of a role's packs. Nothing is stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from packyard.errors import InvalidRequest
from packyard.oci.reference import parse_reference
from packyard.operations.role_packs import RoleReader
from packyard.packs.role import Role
from packyard.registry.own.ecr_logins import EcrLogin, EcrLogins, PolicyTooLarge
from packyard.tenants.caller import Caller

logger = Logger(child=True)

_FIELD = "login"
_DOOR = 'Leave the field out, or send "door"; the distribution door'
_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryLogins:
    """Makes logins at our registry.

    Attributes:
        reader: Reads roles.
        logins: Gets them; None if the registry is not Amazon ECR, which alone has such logins.
        host: The start of references to our registry.
        prefix: What the names of our repositories begin with.
    """

    reader: RoleReader
    logins: EcrLogins | None
    host: str
    prefix: str

    def login(self, role_id: str, *, caller: Caller) -> EcrLogin:
        """Return a login that opens the repositories of a role's packs, all of them the caller's organisation's.

        It opens them whole, with revisions that the role does not pin, for as long as ECR says; nothing ends it sooner
        (decision 101).

        Raises:
            InvalidRequest: On `login`: the registry has no such logins; or the role has no packs, or packs whose image
                is not in a repository of the caller's organisation, or too many repositories.
            RoleNotFound: The caller's organisation has no such role.
            ServiceUnavailable: A backing service did not answer.
        """
        if self.logins is None:
            raise _refusal("this service's registry is not Amazon ECR, and has no such logins", "has them")
        role = self.reader.role(role_id, caller=caller)
        repositories = [(name, self._repository(image, caller.org_id)) for name, image in self._images(role)]
        if not repositories:
            raise _refusal(
                "the role has no packs, and a login at the registry would not open those that come later",
                "has logins that do",
            )
        foreign = [name for name, repository in repositories if repository is None]
        if foreign:
            more = f" and {len(foreign) - _NAMES} others" if len(foreign) > _NAMES else ""
            raise _refusal(
                "a login at the registry opens whole repositories, and so only those of your own organisation; the "
                f"images of {', '.join(foreign[:_NAMES])}{more} are in none of them",
                "serves other organisations' packs too; the lock document names images that are in other registries",
            )
        distinct = sorted({repository for _, repository in repositories if repository})
        try:
            login = self.logins.issue(distinct, session=f"{caller.org_id}@{role_id}")
        except PolicyTooLarge as too_large:
            room = "" if too_large.room is None else f", which is {too_large.room} of these"
            raise _refusal(
                f"the role's packs are in {len(distinct)} repositories, more than AWS has room for in one login{room}",
                "has no such limit",
            ) from too_large
        logger.info(
            "a login at the registry", extra={"principal": caller.principal, "repositories": distinct}
        )
        return login

    def _images(self, role: Role) -> Iterator[tuple[str, str]]:
        """Yield what the role calls each of its packs, and its image. Packs without a pin take a read (decision 84)."""
        floating = [pack_id for pack_id in role.pack_ids if pack_id not in role.pins]
        now = self.reader.packs.read(floating).now if floating else {}
        for pack_id in role.pack_ids:
            if pack_id in now:
                yield now[pack_id].name, now[pack_id].image_ref
            else:
                yield role.pins[pack_id].called, role.pins[pack_id].image_ref

    def _repository(self, image: str, org_id: str) -> str | None:
        """Return the repository of an image, or None if it is not one of the organisation's in our registry."""
        reference = parse_reference(image)
        ours = reference.registry == self.host and reference.repository.startswith(f"{self.prefix}/{org_id}/")
        return reference.repository if ours else None


def _refusal(cause: str, door: str) -> InvalidRequest:
    return InvalidRequest({_FIELD: f"{cause}. {_DOOR} {door}"})
