"""The token scopes of requests to our registry (token specification of the CNCF's distribution project).

Registries require `delete` for DELETE, `pull` for GET and HEAD, and `pull,push` for all other methods (distribution,
`appendAccessRecords`). A read before a push requests the push's scopes, so that one token serves both.
"""

Scopes = tuple[str, ...]


def to_pull(repository: str) -> Scopes:
    """Return the scopes that allow to read a repository."""
    return (f"repository:{repository}:pull",)


def to_push(repository: str, *, mount_from: str | None = None) -> Scopes:
    """Return the scopes that allow to push to a repository and to read it.

    Args:
        repository: The repository's path in the registry.
        mount_from: The repository from which a blob is mounted, if any; mounting reads it.
    """
    source = () if mount_from is None else to_pull(mount_from)
    return (f"repository:{repository}:pull,push", *source)


def to_delete(repository: str) -> Scopes:
    """Return the scopes that allow to delete from a repository."""
    return (f"repository:{repository}:delete",)
