"""Exchanging a token of CI for a key: without a stored secret, for one pack, for 15 minutes (API contract, section 10).

    check the token by itself → read the organisation and the pack's publishers → (ask their issuer for its keys)
    → verify the signature → compare the claims → write the key, its event, and that the token was used

Anybody may call this. So what costs nothing comes first, and a host is asked only if a publisher of the named pack
names it. Until the signature holds, every refusal about an organisation has one text: it does not say whether there is
such an organisation, or such a publisher. After that, what is configured is told only to a token of the owner that is
configured.

A crash before the write leaves the token unused. A crash after it leaves a key whose secret nobody knows, and the token
is used. Of two exchanges of one token, one succeeds. Of two first tokens of a publisher that was given by names, one
pins its ids, and the other one is compared with them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import InvalidRequest, ServiceUnavailable, TokenNotAccepted
from packyard.issuer.discovered_keys import DiscoveredIssuers
from packyard.store.publishers import PublisherOutdated, PublisherStore, TokenUsed
from packyard.store.tenants import TenantStore
from packyard.tenants.api_key import SECRET_BYTES, SHOWN_CHARACTERS, ApiKey, hash_secret, new_secret
from packyard.tenants.caller import WRITE
from packyard.tenants.ci_run import facts_of, principal_of
from packyard.tenants.ci_token import CiToken, ClaimRefused, NotAToken, parse_ci_token, shown
from packyard.tenants.jwt import LEEWAY_SECONDS, TokenRefused, verified_claims
from packyard.tenants.publisher import Publisher
from packyard.tenants.publisher_match import (
    OWNER_CLAIMS,
    Comparison,
    compare,
    may_be_of_the_account,
)

logger = Logger(child=True)

KEY_LIFETIME: Final = timedelta(minutes=15)
# A token is refused so long after its end; a minute more for clocks of DynamoDB.
_REMEMBERED: Final = timedelta(seconds=LEEWAY_SECONDS + 60)
_ATTEMPTS: Final = 3
_NOBODY: Final = "nobody"
_MAX_LABEL: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """What a run of CI asks for.

    Attributes:
        token: Its token.
        org: The slug of the organisation.
        pack_name: The pack that it publishes. There need not be such a pack yet.
        audience: What the token's `aud` must be.
    """

    token: str
    org: str
    pack_name: str
    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangedKey:
    """The key for a run of CI.

    Attributes:
        key: As it is stored.
        secret: What the run sends. It is stored nowhere.
    """

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExchange:
    """Exchanges tokens.

    Attributes:
        tenants: Finds organisations.
        publishers: Has their trusted publishers.
        issuers: Has the keys of the publishers' issuers.
        clock: The present instant, UTC.
        random_bytes: Returns that many bytes from the operating system's random source.
    """

    tenants: TenantStore
    publishers: PublisherStore
    issuers: DiscoveredIssuers
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def exchange(self, asked: ExchangeRequest) -> ExchangedKey:
        """Return a key for the pack, for a token that a trusted publisher of it has. Two reads and one write.

        Raises:
            InvalidRequest: On `token`: it is no JSON Web Token.
            TokenNotAccepted: The claims that are wrong, or that no publisher takes it.
            ServiceUnavailable: DynamoDB did not answer, or the issuer sends no keys. The token may have been used.
        """
        now = self.clock()
        token = _own_claims_checked(asked, now)
        # Nobody's publishers are looked for as well: an unknown organisation takes as long to refuse as a known one.
        org_id = self.tenants.find_org(asked.org) or _NOBODY
        for _ in range(_ATTEMPTS):
            candidates = self._candidates(org_id, asked.pack_name, token, now)
            if not candidates or not self._is_signed(token):
                raise _not_known(asked, token)
            matched = _matched(asked, token, candidates)
            try:
                return self._write_key(matched, token, now)
            except TokenUsed:
                raise TokenNotAccepted(
                    "jti: this token has been exchanged before, and each is exchanged once; let the job ask for a "
                    "token of its own.",
                    {"jti": {}},
                ) from None
            except PublisherOutdated:
                continue
        raise ServiceUnavailable

    def _candidates(self, org_id: str, pack_name: str, token: CiToken, now: datetime) -> Sequence[Publisher]:
        """Return the publishers of the pack that may have the token, as far as its unverified claims say."""
        return [
            publisher
            for publisher in self.publishers.of_pack(org_id, pack_name)
            if publisher.is_live(now)
            and publisher.takes_issuer(token.issuer)
            and may_be_of_the_account(publisher, token.claims)
        ]

    def _is_signed(self, token: CiToken) -> bool:
        """Return whether the issuer has signed a token."""
        key = self.issuers.find(token.issuer, token.token.key_name)
        if key is None:
            logger.info(
                "refused", extra={"reason": "the issuer has no such key, or several that it could be"}
            )
            return False
        try:
            verified_claims(token.token, key=key)
        except TokenRefused as refusal:
            logger.info("refused", extra={"reason": str(refusal)})
            return False
        return True

    def _write_key(self, matched: Comparison, token: CiToken, now: datetime) -> ExchangedKey:
        publisher = matched.publisher
        pinned = (
            replace(publisher, pinned={**publisher.pinned, **matched.pins}) if matched.pins else publisher
        )
        facts = facts_of(publisher, token.issuer, token.claims)
        principal = principal_of(facts)
        secret = new_secret(self.random_bytes(SECRET_BYTES))
        end = now + KEY_LIFETIME
        key = ApiKey(
            key_hash=hash_secret(secret),
            org_id=publisher.org_id,
            label=_label(
                facts.get("repository") or facts.get("role_arn") or facts.get("subject") or token.issuer
            ),
            granted=frozenset({WRITE}),
            pack_name=publisher.pack_name,
            created_at=now,
            created_by=principal,
            expires_at=end if publisher.expires_at is None else min(end, publisher.expires_at),
            prefix=secret[:SHOWN_CHARACTERS],
            ci=facts,
            acts_as=principal,
        )
        self.publishers.exchange(
            publisher, key, pinned=pinned, use=token.use, forgotten_at=token.ends_at + _REMEMBERED
        )
        return ExchangedKey(key=key, secret=secret)


def _own_claims_checked(asked: ExchangeRequest, now: datetime) -> CiToken:
    try:
        return parse_ci_token(asked.token, audience=asked.audience, now=now)
    except NotAToken:
        raise InvalidRequest(
            {
                "token": "is not a JSON Web Token that could be verified: three parts of base64url, joined by dots, of "
                "which the first two are JSON objects"
            }
        ) from None
    except ClaimRefused as refused:
        came = {} if refused.came is None else {"came": refused.came}
        what = f"is {refused.came}; {refused.wanted}" if came else f"is missing or unusable; {refused.wanted}"
        raise TokenNotAccepted(
            f"The token is not accepted. Its claim {refused.claim} {what}.", {refused.claim: came}
        ) from None


def _not_known(asked: ExchangeRequest, token: CiToken) -> TokenNotAccepted:
    issuer = shown(token.issuer)
    return TokenNotAccepted(
        f"The token is not accepted. Its claim iss is {issuer}; either no trusted publisher of {asked.org} for the "
        f"pack {asked.pack_name} takes tokens of that issuer, or the signature is not the issuer's. Members of "
        f"{asked.org} see the publishers with packyard publishers list.",
        {"iss": {"came": issuer}},
    )


def _matched(asked: ExchangeRequest, token: CiToken, candidates: Sequence[Publisher]) -> Comparison:
    """Return the comparison with the publisher whose token it is.

    Raises:
        TokenNotAccepted: It is nobody's. What is configured is told only if the owner's id is that of a publisher.
    """
    compared = [compare(publisher, token.issuer, token.claims) for publisher in candidates]
    for comparison in compared:
        if not comparison.mismatches:
            return comparison
    nearest = min(compared, key=lambda comparison: (not comparison.owner_known, len(comparison.mismatches)))
    told = nearest.mismatches
    if not nearest.owner_known:
        # What an owner may not know is not to be guessed claim by claim either.
        owner = OWNER_CLAIMS.get(nearest.publisher.kind)
        told = tuple(mismatch for mismatch in told if mismatch.claim == owner) or told
    claims, said = {}, []
    for mismatch in told:
        came = "missing" if mismatch.came is None else mismatch.came
        claims[mismatch.claim] = {} if mismatch.came is None else {"came": mismatch.came}
        text = f"{mismatch.claim} is {came}"
        if nearest.owner_known:
            claims[mismatch.claim]["configured"] = mismatch.configured
            text += f", and {mismatch.configured} is configured"
            text += f" ({mismatch.hint})" if mismatch.hint else ""
        said.append(text)
    raise TokenNotAccepted(
        f"The token is not accepted. No trusted publisher of {asked.org} for the pack {asked.pack_name} has its "
        f"claims: {'; '.join(said)}.",
        claims,
    )


def _label(text: str) -> str:
    return f"CI of {text}"[:_MAX_LABEL]
