"""Reading a JWT with the issuer's keys."""

from dataclasses import dataclass
from datetime import datetime

from packyard.errors import Unauthenticated
from packyard.issuer.published_keys import IssuerKeys
from packyard.tenants.jwt import Identity, TokenRefused, parse_token, read_token


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReader:
    """Reads the tokens of one issuer.

    Attributes:
        issuer: What `iss` must be.
        audience: What `aud` must be, or list.
        keys: The issuer's keys.
    """

    issuer: str
    audience: str
    keys: IssuerKeys

    def read(self, text: str, *, now: datetime) -> Identity:
        """Return what a token says.

        Raises:
            Unauthenticated: The token is refused. Only the log says why.
            ServiceUnavailable: The issuer's keys cannot be fetched.
        """
        try:
            token = parse_token(text)
            key = self.keys.find(token.key_name)
            if key is None:
                raise TokenRefused("the issuer has no such key, or several that it could be")  # noqa: TRY301 - refused like the others, below
            return read_token(token, key=key, issuer=self.issuer, audience=self.audience, now=now)
        except TokenRefused as refusal:
            raise Unauthenticated from refusal
