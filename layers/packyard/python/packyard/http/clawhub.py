"""The door for `clawhub` (npm): ClawHub's API, read side. Its client shows the body of an error, so that is text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.doors import clawhub
from packyard.doors.document import ServedDocument
from packyard.doors.door import Door
from packyard.doors.served_pack import Catalogue, ServedPack
from packyard.errors import (
    FileNotFound,
    InvalidRequest,
    PackNotFound,
    PackyardError,
    RouteNotFound,
    ServiceUnavailable,
)
from packyard.http.app import TEXT, json_response, make_app
from packyard.http.doors import NOT_KEPT, below_the_door
from packyard.http.entity_tags import ETAG
from packyard.operations.served_files import ServedFiles
from packyard.operations.served_packs import Selection, ServedPacks

_API: Final = "api/v1/"
_SKILL: Final = re.compile(r"skills/([^/]+)(?:/(versions|file|install)(?:/([^/]+))?)?")
_MOST: Final = 200
_DIGITS: Final = 4


def make_clawhub() -> APIGatewayRestResolver:
    """Return a resolver that answers every failure with a line of text."""
    return make_app(envelope=_line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawHub:
    """One request to the door.

    Attributes:
        selection: What is served.
        served: Finds the catalogue and the documents.
        files: Reads files.
    """

    selection: Selection
    served: ServedPacks
    files: ServedFiles

    def response(self, event: APIGatewayProxyEvent) -> Response[Any]:
        """Return the answer.

        Raises:
            RouteNotFound: The API has no such path, or it is not of the read side.
            PackNotFound: The skill, or that version of it, is not served here.
            FileNotFound: The skill has no such file.
            InvalidRequest: A parameter is missing or not valid.
            RegistryUnavailable, ServiceUnavailable: A backing service did not answer.
        """
        path = below_the_door(event)
        query = event.query_string_parameters or {}
        if not path.startswith(_API):
            raise RouteNotFound
        path = path.removeprefix(_API)
        if path == "whoami":
            handle = self.selection.caller.org_slug
            return _json({"user": {"handle": handle, "displayName": handle}})
        catalogue = self.served.catalogue(self.selection)
        if path == "skills":
            return _json(clawhub.list_answer(catalogue.fitting(Door.CLAWHUB)))
        if path == "search":
            packs = catalogue.fitting(Door.CLAWHUB)
            return _json(clawhub.search_answer(packs, query.get("q", ""), limit=_limit(query)))
        if path in ("download", "resolve"):
            pack = _found(catalogue, _required(query, "slug"), query)
            return self._zip(pack) if path == "download" else self._resolved(pack, query)
        if skill := _SKILL.fullmatch(path):
            return self._of_skill(_found(catalogue, skill[1], query), skill[2], skill[3], query)
        raise RouteNotFound

    def _of_skill(
        self, pack: ServedPack, what: str | None, which: str | None, query: Mapping[str, str]
    ) -> Response[Any]:
        if what is None:
            return _json(clawhub.skill_answer(pack, deprecated=self.served.is_deprecated(pack)))
        if what == "versions" and which is None:
            return _json(clawhub.versions_answer(pack))
        if what == "versions":
            _require_version(pack, which)
            return _json(clawhub.version_answer(pack, self._document(pack).files))
        if what == "file" and which is None:
            return self._file(pack, query)
        # `install` is asked for where there is no version, and there always is one.
        raise RouteNotFound

    def _zip(self, pack: ServedPack) -> Response[Any]:
        reason = pack.reason_of(Door.CLAWHUB)
        if reason is not None or pack.zip is None:
            raise InvalidRequest({"slug": f"{pack.name} cannot be installed from here: {reason}"})
        headers = {"Location": self.served.zip_url(pack), ETAG: f'"{pack.zip.digest}"', **NOT_KEPT}
        return Response(HTTPStatus.FOUND, body="", headers=dict(headers))

    def _resolved(self, pack: ServedPack, query: Mapping[str, str]) -> Response[Any]:
        files = self._document(pack).files if pack.is_usable else ()
        return _json(clawhub.resolve_answer(pack, files, fingerprint=query.get("hash", "")))

    def _file(self, pack: ServedPack, query: Mapping[str, str]) -> Response[Any]:
        document = self._document(pack)
        file = document.find(_required(query, "path"))
        if file is None:
            raise FileNotFound
        content = self.files.content(pack, document, file)
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(HTTPStatus.OK, TEXT, content.decode(errors="replace"), dict(headers))

    def _document(self, pack: ServedPack) -> ServedDocument:
        if not pack.is_usable:
            raise PackNotFound
        (document,) = self.served.documents([pack])
        if document is None:
            raise ServiceUnavailable("This pack is being prepared; repeat the request in some seconds.")
        return document


def _found(catalogue: Catalogue, slug: str, query: Mapping[str, str]) -> ServedPack:
    """Return the pack of a slug, with its owner or without one where only one pack has the name."""
    owner = query.get("ownerHandle") or query.get("owner")
    found = [
        pack
        for pack in catalogue.packs
        if slug == pack.name and (owner is None or owner.removeprefix("@") == pack.owner)
    ]
    if len(found) > 1:
        names = ", ".join(f"@{pack.owner}/{pack.name}" for pack in found)
        raise InvalidRequest({"slug": f"is the name of several packs; name its owner: {names}"})
    if not found:
        if catalogue.pending:
            raise ServiceUnavailable("Packs are being prepared; repeat the request in some seconds.")
        raise PackNotFound
    if "version" in query:
        _require_version(found[0], query["version"])
    return found[0]


def _require_version(pack: ServedPack, version: str | None) -> None:
    if version != pack.version:
        raise PackNotFound


def _required(query: Mapping[str, str], name: str) -> str:
    value = query.get(name)
    if not value:
        raise InvalidRequest({name: "is required"})
    return value


def _limit(query: Mapping[str, str]) -> int:
    given = query.get("limit", "25")
    if not given.isascii() or not given.isdecimal() or len(given) > _DIGITS:
        raise InvalidRequest({"limit": f"must be a whole number from 1 to {_MOST}"})
    return min(max(int(given), 1), _MOST)


def _json(body: Mapping[str, Any]) -> Response[str]:
    return json_response(HTTPStatus.OK, body)


def _line(error: PackyardError, request_id: str) -> str:
    fields = error.fields if isinstance(error, InvalidRequest) else {}
    told = "; ".join(f"{name} {reason}" for name, reason in fields.items()) or error.message
    return f"{told} (request {request_id})\n"
