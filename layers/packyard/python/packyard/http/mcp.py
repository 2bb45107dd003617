"""The door for MCP clients: one JSON-RPC request in a POST, one answer in JSON (MCP 2026-07-28, SEP-2640).

A request that fails is an answer of JSON-RPC too, with status 200, since clients show the body of no other status. What
every operation refuses has the contract's envelope.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.doors import mcp
from packyard.doors.document import SKILL_FILE, ServedDocument
from packyard.doors.door import Door
from packyard.doors.served_pack import ServedPack
from packyard.errors import FileNotFound, PayloadTooLarge
from packyard.http.app import json_response
from packyard.operations.served_files import ServedFiles
from packyard.operations.served_packs import Selection, ServedPacks

_MAX_BYTES: Final = 64 << 10
_NOT_KEPT: Final = {"Cache-Control": "no-store"}
_LISTS: Final = {"tools/list": "tools", "resources/list": "resources", "prompts/list": "prompts"}


class _Refused(Exception):
    """A request of JSON-RPC that fails.

    Args:
        code: Of JSON-RPC.
        message: For people.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """One request to the door.

    Attributes:
        selection: What is served.
        served: Finds the catalogue and the documents.
        files: Reads files.
        page: The most entries of one answer. Each has up to 512 files, of about 200 bytes.
    """

    selection: Selection
    served: ServedPacks
    files: ServedFiles
    page: int = 20

    def response(self, event: APIGatewayProxyEvent) -> Response[str]:
        """Return the answer to a POST.

        Raises:
            PayloadTooLarge: The request is over 64 KiB.
            RegistryUnavailable, ServiceUnavailable: A backing service did not answer.
        """
        request_id: Any = None
        try:
            request = _parsed(event)
            if "id" not in request:
                # A notification has no answer (JSON-RPC 2.0, section 4.1).
                return Response(HTTPStatus.ACCEPTED, body="", headers=dict(_NOT_KEPT))
            request_id = _checked_id(request)
            method, params = _checked(request)
            result = self._result(method, params)
        except _Refused as refused:
            body = mcp.refusal(request_id, refused.code, str(refused))
            return json_response(HTTPStatus.OK, body, _NOT_KEPT)
        return json_response(HTTPStatus.OK, mcp.answer(request_id, result), _NOT_KEPT)

    def _result(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if method == "server/discover":
            return mcp.discovered()
        if method == "ping":
            return {"resultType": "complete"}
        if method in _LISTS:
            return mcp.empty_list(_LISTS[method])
        if method == "skills/list":
            return self._listed(params)
        if method == "skills/get":
            pack, path = self._named(params)
            if path != SKILL_FILE:
                raise _unknown(params["uri"])
            return mcp.got(mcp.entry(pack, self._document(pack)))
        if method == "resources/read":
            return self._read(params)
        raise _Refused(mcp.METHOD_NOT_FOUND, f"there is no method {method[:64]!r} here")

    def _listed(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        packs = self.served.catalogue(self.selection).fitting(Door.MCP)
        start = 0
        if params.get("cursor") is not None:
            at = {pack.pack_id: number for number, pack in enumerate(packs)}
            if not isinstance(params["cursor"], str) or params["cursor"] not in at:
                raise _Refused(
                    mcp.INVALID_PARAMS, "cursor: is none of this list, or its pack has gone; begin anew"
                )
            start = at[params["cursor"]]
        page = packs[start : start + self.page]
        entries = [
            mcp.entry(pack, document)
            for pack, document in zip(page, self.served.documents(page), strict=True)
            if document is not None
        ]
        after = packs[start + self.page : start + self.page + 1]
        return mcp.listed(entries, next_cursor=after[0].pack_id if after else None)

    def _read(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        pack, path = self._named(params)
        document = self._document(pack)
        file = document.find(path)
        if file is None:
            raise _unknown(params["uri"])
        try:
            content = self.files.content(pack, document, file)
        except FileNotFound:
            raise _unknown(params["uri"]) from None
        return mcp.read(params["uri"], path, content)

    def _named(self, params: Mapping[str, Any]) -> tuple[ServedPack, str]:
        uri = params.get("uri")
        if not isinstance(uri, str):
            raise _Refused(mcp.INVALID_PARAMS, f"uri: must be text, {mcp.SCHEME}<owner>/<pack>/{SKILL_FILE}")
        named = mcp.parse_uri(uri)
        pack = named and self.served.catalogue(self.selection).owned(named[0], named[1])
        if not named or not pack or not pack.fits(Door.MCP):
            raise _unknown(uri)
        return pack, named[2]

    def _document(self, pack: ServedPack) -> ServedDocument:
        (document,) = self.served.documents([pack])
        if document is None:
            raise _Refused(
                mcp.INTERNAL_ERROR, "this pack is being prepared; repeat the request in some seconds"
            )
        return document


def _unknown(uri: str) -> _Refused:
    return _Refused(
        mcp.INVALID_PARAMS, f"uri: nothing is served under {uri[:200]!r}; skills/list has all that is"
    )


def _parsed(event: APIGatewayProxyEvent) -> Mapping[str, Any]:
    text = event.body or ""
    if len(text) > 2 * _MAX_BYTES:
        raise PayloadTooLarge(f"A request may have at most {_MAX_BYTES} bytes.")
    try:
        body = base64.b64decode(text, validate=True) if event.is_base64_encoded else text.encode()
        request = json.loads(body)
    except (binascii.Error, ValueError, RecursionError):
        raise _Refused(mcp.PARSE_ERROR, "the body is not JSON") from None
    if not isinstance(request, dict):
        raise _Refused(mcp.INVALID_REQUEST, "the body must be one request, an object; batches are not taken")
    return request


def _checked_id(request: Mapping[str, Any]) -> str | int:
    request_id = request["id"]
    if isinstance(request_id, bool) or not isinstance(request_id, str | int):
        raise _Refused(mcp.INVALID_REQUEST, "id: must be text or a whole number")
    return request_id


def _checked(request: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    method, params = request.get("method"), request.get("params", {})
    if request.get("jsonrpc") != "2.0" or not isinstance(method, str):
        raise _Refused(mcp.INVALID_REQUEST, 'jsonrpc: must be "2.0", with a method')
    if not isinstance(params, dict):
        raise _Refused(mcp.INVALID_PARAMS, "params: must be an object")
    return method, params
