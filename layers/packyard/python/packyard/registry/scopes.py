"""What a token has to allow for a request to our registry (token specification of the CNCF's distribution project)."""

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

_REPOSITORY: Final = re.compile(r"/v2/(?P<name>.+?)/(?:blobs|manifests|tags)/")


def scopes_of(method: str, target: str) -> tuple[str, ...]:
    """Return the scopes of a request; none for one that is about no repository.

    Whoever asks is about to push or to delete, so that one token does for all of it: registries want `delete` for
    DELETE, `pull` for GET and HEAD, and `pull,push` for everything else (distribution, `appendAccessRecords`).

    Args:
        method: The HTTP method.
        target: The path and query.
    """
    url = urlsplit(target)
    found = _REPOSITORY.match(url.path)
    if found is None:
        return ()
    scopes = [f"repository:{found['name']}:{'delete' if method == 'DELETE' else 'pull,push'}"]
    # Mounting reads what it mounts (distribution-spec, "Mounting a blob from another repository").
    scopes += [f"repository:{source}:pull" for source in parse_qs(url.query).get("from", [])[:1]]
    return tuple(scopes)
