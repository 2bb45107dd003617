"""Files, and what differs between two of them, as answers have them."""

from typing import Any

from packyard.oci.read.index_lines import ComparedFile


def file_view(file: ComparedFile) -> dict[str, Any]:
    """Return a file as answers have it."""
    return {"path": file.path, **_state(file)}


def change_view(old: ComparedFile, new: ComparedFile) -> dict[str, Any]:
    """Return a file that has changed as answers have it."""
    return {"path": new.path, "from": _state(old), "to": _state(new)}


def _state(file: ComparedFile) -> dict[str, Any]:
    return {"size": file.size, "mode": f"{file.mode:04o}", "digest": f"sha256:{file.sha256}"}
