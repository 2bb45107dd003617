"""What Schemathesis cannot know of a request: what an archive is, and that only registries of this machine are asked.

It runs in an environment of its own; the test that starts it says in `PACKYARD_THINGS` what there is.
"""

import base64
import hashlib
import json
import os
import re
from typing import Any
from urllib.parse import unquote

import schemathesis
from schemathesis import GenerationMode

_THINGS: dict[str, Any] = json.loads(os.environ["PACKYARD_THINGS"])
# What begins like this may be an image's name, which the service would ask for over the internet.
_MAY_BE_A_REFERENCE = re.compile(r"\s*[a-z0-9]", re.IGNORECASE)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ENTITY_TAG = re.compile(r'\*|.*".*"')
# The emulator decodes paths before it hands them on, and the router takes none of these; API Gateway passes paths on
# as they were sent.
_NOT_IN_PATHS = re.compile(r"[^-._~()'!*:@,;=+&$%<> \[\]{}|^/\w]")


def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Put what there is in the place of what cannot be made up."""
    well_formed = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    for name, value in (case.path_parameters or {}).items():
        if isinstance(value, str) and _NOT_IN_PATHS.search(unquote(value)):
            case.path_parameters[name] = "nobody"
            # Then nothing may be wrong with the request, but a cursor that was made up.
            (case.query or {}).pop("cursor", None)
        if value in _THINGS["standing_keys"]:
            # It has found the key that it asks with in a list of keys. Without it, all that follows would be 401.
            case.path_parameters[name] = "nobody"
    if isinstance(case.body, dict):
        _change_body(case, well_formed=well_formed)
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None and not (isinstance(key, str) and _KEY.fullmatch(key)):
        # A dry run ignores the key, also a malformed one (API contract, section 2).
        (case.query or {}).pop("dry_run", None)
    if well_formed:
        # A cursor is one that a listing has answered with; any other is a wrong one.
        (case.query or {}).pop("cursor", None)
        _use_a_key_once(case)
        if not _ENTITY_TAG.fullmatch((case.headers or {}).get("If-Match", "*")):
            # It takes 0 for one, whatever the pattern says.
            del case.headers["If-Match"]


def _change_body(case: Any, *, well_formed: bool) -> None:
    body, images, archives = case.body, _THINGS["images"], _THINGS["archives"]
    reference, archive = body.get("image_ref"), body.get("archive")
    if isinstance(reference, str) and (well_formed or _MAY_BE_A_REFERENCE.match(reference)):
        body["image_ref"] = images["there" if well_formed else "absent"]
    if "pack_id" in body and well_formed:
        # Of one's own packs, only those that were uploaded take another archive.
        body["pack_id"] = _THINGS["pack"]
    if "archive" in body and (well_formed or (isinstance(archive, bytes | str) and len(archive) % 2)):
        kind = "again" if "{id}" in case.operation.path else "new"
        body["archive"] = base64.b64decode(archives[kind])


def _use_a_key_once(case: Any) -> None:
    """Let a key stand for one request: what the same key is answered for another is the state's business."""
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and _KEY.fullmatch(key):
        request = repr((case.operation.label, case.path_parameters, case.body, key))
        case.headers["Idempotency-Key"] = hashlib.sha256(request.encode()).hexdigest()


schemathesis.hook(before_call)
