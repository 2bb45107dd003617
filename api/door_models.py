"""The bodies of the doors; see `api.models`."""

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

_Digest = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class SkillsEntry(TypedDict):
    """A pack in an index of Agent Skills."""

    name: Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    type: Literal["archive"]
    description: Annotated[str, Field(min_length=1, max_length=1024)]
    url: Annotated[str, Field(description="Relative to that of the index.")]
    digest: Annotated[_Digest, Field(description="Of the zip.")]


SkillsIndex = TypedDict(
    "SkillsIndex",
    {
        "$schema": Literal["https://schemas.agentskills.io/discovery/0.2.0/schema.json"],
        "skills": list[SkillsEntry],
    },
)
SkillsIndex.__doc__ = "The packs that are served, as `skills` reads them."


class ArchiveSource(TypedDict):
    """Where a plugin is."""

    source: Literal["archive"]
    url: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class MarketplacePlugin(TypedDict):
    """A pack in a marketplace."""

    name: str
    version: Annotated[str, Field(description="The pack's, with the first digits of its image's digest.")]
    description: str
    source: ArchiveSource


class MarketplaceOwner(TypedDict):
    """Whose marketplace it is."""

    name: str


class Marketplace(TypedDict):
    """The packs that are served, as Claude Code reads them."""

    name: str
    owner: MarketplaceOwner
    description: str
    plugins: list[MarketplacePlugin]


class JsonRpc(TypedDict):
    """An answer of JSON-RPC 2.0: `result` or `error`."""

    jsonrpc: Literal["2.0"]
    id: str | int | None
    result: NotRequired[dict[str, Any]]
    error: NotRequired[dict[str, Any]]


class BeingMade(TypedDict):
    """What is asked for is being made."""

    status: Literal["being_made"]


MODELS: Final = (SkillsIndex, Marketplace, JsonRpc, BeingMade)
