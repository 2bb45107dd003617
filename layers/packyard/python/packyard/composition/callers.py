"""Who may call: keys, tokens and trusted publishers."""

from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.network import Network
from packyard.composition.stores import Stores

if TYPE_CHECKING:
    from packyard.operations.keys import KeyMaker
    from packyard.operations.publishers import PublisherKeeper
    from packyard.operations.read_token import TokenReader
    from packyard.operations.token_exchange import TokenExchange


class Callers(Network, Stores):
    """What makes and reads the credentials of callers."""

    @cached_property
    def token_reader(self) -> "TokenReader | None":
        """The reader of JWTs; None when this deployment takes none."""
        jwt = self.settings.jwt
        if jwt is None:
            return None
        from packyard.operations.read_token import TokenReader

        return TokenReader(issuer=jwt.issuer, audience=jwt.audience, keys=self.issuer_keys(jwt.keys_url))

    @cached_property
    def key_maker(self) -> "KeyMaker":
        """Makes and revokes API keys."""
        from packyard.operations.keys import KeyMaker

        return KeyMaker(keys=self.api_keys, clock=self.clock, random_bytes=self.random_bytes)

    @cached_property
    def publisher_keeper(self) -> "PublisherKeeper":
        """Adds and removes trusted publishers."""
        from packyard.operations.publishers import PublisherKeeper

        return PublisherKeeper(
            publishers=self.publishers, guard=self.issuer_guard, clock=self.clock, new_ulid=self.new_ulid
        )

    @cached_property
    def token_exchange(self) -> "TokenExchange":
        """Exchanges the tokens of CI for keys."""
        from packyard.operations.token_exchange import TokenExchange

        return TokenExchange(
            tenants=self.tenants,
            publishers=self.publishers,
            issuers=self.publisher_issuers,
            clock=self.clock,
            random_bytes=self.random_bytes,
        )
