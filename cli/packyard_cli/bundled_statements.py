"""What is signed about the images of a bundle: as the bundle has it, else as the cache has it."""

from packyard.oci.digest import Digest
from packyard_cli.bundle import Bundle
from packyard_cli.context import Context
from packyard_cli.lock_document import Lock
from packyard_cli.statements import OFF, StatementCache, Statements


class BundledStatements:
    """Statements of a bundle. It never replaces what the cache has: it is not known whose it is.

    Args:
        bundle: The bundle.
        lock: Of the packs.
        context: The surroundings.
    """

    def __init__(self, bundle: Bundle, lock: Lock, context: Context) -> None:
        self._cache = StatementCache(context.cache())
        # Read at once, since several packs are proved at once and the bundle is one file.
        self._found = {pack.id: bundle.statements(pack) for pack in lock.packs}

    def find(self, pack_id: str, image: Digest) -> Statements | None:
        """Return what there is of a pack's image, unverified. A bundle without statements says that there are none."""
        return self._found.get(pack_id) or self._cache.find(pack_id, image) or Statements(state=OFF)

    def keep(self, pack_id: str, image: Digest, statements: Statements) -> None:
        """Keep statements that the service has sent."""
        self._cache.keep(pack_id, image, statements)
