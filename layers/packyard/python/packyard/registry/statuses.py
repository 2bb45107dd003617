"""HTTP statuses by what they mean to a client of a registry (RFC 9110, section 15)."""

from http import HTTPStatus
from typing import Final

SUCCESSES: Final = range(200, 300)
CLIENT_ERRORS: Final = range(400, 500)
# RFC 9110 ends at 599. An invalid status above that counts as a server error.
SERVER_ERRORS: Final = range(500, 1000)
# Redirects that we recognise. 300 offers a choice, 304 only answers conditional requests, which we never send, and 305
# is deprecated.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Statuses below 500 that ask to try again later: RFC 9110, section 15.5.9; RFC 8470, section 5.2; RFC 6585, section 4.
RETRY_LATER: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
