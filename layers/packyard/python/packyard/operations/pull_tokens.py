"""Logins at the distribution door: making one, and changing one into a bearer token. Nothing is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from packyard.aws.signing_secret import SigningSecret
from packyard.errors import FeedNotFound, RoleNotFound, Unauthenticated
from packyard.operations.feed_reader import FeedReader
from packyard.operations.feed_watch import FeedWatch
from packyard.operations.role_packs import RoleReader
from packyard.packs.feed import OF_A_FEED, USER
from packyard.packs.feed import PREFIX as FEED_SECRET
from packyard.tenants.caller import Caller
from packyard.tenants.pull_token import (
    BEARER_LIFETIME,
    LOGIN_LIFETIME,
    PullToken,
    TokenKind,
    read_token,
    sign_token,
)


class IssuedToken(NamedTuple):
    """A token as text, and from when until when it is valid (UTC)."""

    text: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PullTokens:
    """Makes and reads pull tokens.

    Attributes:
        secret: What signs them.
        reader: Reads roles.
        feeds: Finds feeds by their secrets.
        watch: Notes from where feeds are used.
        authenticate: Returns the caller of an Authorization header; raises Unauthenticated or ServiceUnavailable.
        clock: The present instant, UTC.
    """

    secret: SigningSecret
    reader: RoleReader
    feeds: FeedReader
    watch: FeedWatch
    authenticate: Callable[[str], Caller]
    clock: Callable[[], datetime]

    def login(self, role_id: str, *, caller: Caller) -> IssuedToken:
        """Return a login for the images that a role pins.

        Raises:
            RoleNotFound: The caller's organisation has no such role.
            ServiceUnavailable: A backing service did not answer.
        """
        self.reader.role(role_id, caller=caller)
        now = self.clock()
        return self._issued(
            PullToken(
                kind=TokenKind.LOGIN,
                org_id=caller.org_id,
                role_id=role_id,
                principal=caller.principal,
                expires_at=now + LOGIN_LIFETIME,
            ),
            now,
        )

    def bearer(self, user: str, password: str, *, address: str = "") -> IssuedToken:
        """Return a bearer token for a login.

        That is a role's id, with a login token for that role or with an API key, or `feed` with the secret of a feed.
        A bearer token does not outlive the login token or the feed that it was made from.

        Args:
            user: The user that the client names.
            password: Its password.
            address: Of the client, as the gateway states it.

        Raises:
            Unauthenticated: The password is none of these, or there is no such role. The client is not told which.
            ServiceUnavailable: A backing service did not answer.
        """
        now = self.clock()
        expires_at = now + BEARER_LIFETIME
        if user == USER and password.startswith(FEED_SECRET):
            return self._bearer_of_feed(password, address, now)
        login = read_token(password, TokenKind.LOGIN, keys=self.secret.keys(), now=now)
        if login is None:
            caller = self.authenticate(f"Bearer {password}")
            if caller.pack_name is not None:
                # A key for one pack has no rights on roles (decision 92).
                raise Unauthenticated
            try:
                self.reader.role(user, caller=caller)
            except RoleNotFound as missing:
                raise Unauthenticated from missing
            org_id, principal = caller.org_id, caller.principal
        elif login.role_id == user:
            org_id, principal = login.org_id, login.principal
            expires_at = min(expires_at, login.expires_at)
        else:
            raise Unauthenticated
        return self._issued(
            PullToken(
                kind=TokenKind.BEARER,
                org_id=org_id,
                role_id=user,
                principal=principal,
                expires_at=expires_at,
            ),
            now,
        )

    def _bearer_of_feed(self, secret: str, address: str, now: datetime) -> IssuedToken:
        try:
            feed = self.feeds.find(secret)
        except FeedNotFound as missing:
            raise Unauthenticated from missing
        self.watch.note(feed, address)
        expires_at = now + BEARER_LIFETIME
        return self._issued(
            PullToken(
                kind=TokenKind.BEARER,
                org_id=feed.org_id,
                role_id=f"{OF_A_FEED}{feed.id}",
                principal=f"{OF_A_FEED}{feed.id}",
                expires_at=expires_at if feed.expires_at is None else min(expires_at, feed.expires_at),
            ),
            now,
        )

    def puller(self, bearer: str) -> PullToken:
        """Return what a bearer token says.

        Raises:
            Unauthenticated: It is not one, or has expired.
            ServiceUnavailable: The secret cannot be read.
        """
        found = read_token(bearer, TokenKind.BEARER, keys=self.secret.keys(), now=self.clock())
        if found is None:
            raise Unauthenticated
        return found

    def _issued(self, token: PullToken, now: datetime) -> IssuedToken:
        return IssuedToken(sign_token(token, key=self.secret.signing_key()), now, token.expires_at)
