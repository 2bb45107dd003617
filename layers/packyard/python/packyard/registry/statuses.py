"""HTTP statuses by what they mean to a client of a registry (RFC 9110, section 15)."""

from http import HTTPStatus
from typing import Final

SUCCESSES: Final = range(200, 300)
CLIENT_ERRORS: Final = range(400, 500)
# What is no status at all counts as one of these.
SERVER_ERRORS: Final = range(500, 1000)
# Those that name another place. 300 offers a choice, 304 answers a question that we never ask, and 305 is deprecated.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# "Not now" below 500: RFC 9110, section 15.5.9; RFC 8470, section 5.2; RFC 6585, section 4.
NOT_NOW: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
