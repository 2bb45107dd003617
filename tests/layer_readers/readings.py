"""What other people's gzip and tar readers see in a layer. Each gets the blob, and says which tar or files it sees."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

from local.environments import tool
from local.programs import find
from local.readers import go, node, prepare_readers

_HERE: Final = Path(__file__).parent
_SECONDS: Final = 300
# Programs that write the tar to their standard output. {layer} and {url} are filled in.
_INFLATING: Final = {
    "gzip": ("gzip", "-dc", "{layer}"),
    "pigz": ("pigz", "-dc", "{layer}"),
    "zstd": ("zstd", "-dcq", "{layer}"),
    "busybox gunzip": ("busybox", "gunzip", "-c", "{layer}"),
    "7-Zip": ("7zz", "e", "-so", "-tgzip", "{layer}"),
    "bsdcat": ("bsdcat", "{layer}"),
    "curl, Content-Encoding": ("curl", "-sS", "--compressed", "{url}"),
    "wget, Content-Encoding": ("wget", "-q", "--compression=auto", "-O-", "{url}"),
}
# Programs that unpack into {folder}.
_UNPACKING: Final = {
    "GNU tar": ("tar", "-xzf", "{layer}", "-C", "{folder}", "--no-same-owner"),
    "GNU tar, from a pipe": ("sh", "-c", "cat '{layer}' | tar -xz -C '{folder}' --no-same-owner"),
    "libarchive's bsdtar": ("bsdtar", "-xf", "{layer}", "-C", "{folder}", "--no-same-owner"),
    "busybox tar": ("busybox", "tar", "-xzf", "{layer}", "-C", "{folder}"),
}
_JAVA_LIBRARIES: Final = Path("/usr/share/java")
_DEBIAN_CRATES: Final = Path("/usr/share/cargo/registry")
_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader makes of a layer.

    Attributes:
        reader: Its name.
        version: Of the reader, or of the language that it comes with.
        kind: "tar" if it inflates, "files" if it also reads the tar.
        digest: The SHA-256, in hex, of the tar that it sees, or of the files (`digest_of_files`); empty if it fails.
        error: Why it fails, in its own words.
    """

    reader: str
    version: str
    kind: str
    digest: str
    error: str = ""


def digest_of_files(files: Iterable[tuple[str, bytes]]) -> str:
    """Return one SHA-256, in hex, for names and contents; a directory has no content."""
    lines = sorted(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode() for name, content in files)
    return hashlib.sha256(b"".join(lines)).hexdigest()


def readings(layer: Path) -> Iterator[Reading]:
    """Yield what every reader that is on this machine makes of a layer.

    Args:
        layer: The blob. Its name ends in `.tar.gz`, which PHP insists on.
    """
    prepare_readers()
    with _served(layer) as url:
        yield from _by_script(tool("readers", "python"), _HERE / "read.py", layer, url)
        yield from _by_script(*node("layer.mjs"), layer, url)
        for language, script in (("perl", "read.pl"), ("ruby", "read.rb"), ("php", "read.php")):
            if shutil.which(language):
                yield from _by_script(language, _HERE / script, layer)
        yield from _by_go(layer)
        for name, command in _INFLATING.items():
            if find(command[0]):
                yield _by_inflating(name, command, layer, url)
        for name, command in _UNPACKING.items():
            if find(command[0]):
                yield _by_unpacking(name, command, layer)
    for library in _JAVA_LIBRARIES.glob("commons-compress-*.jar"):
        if shutil.which("java"):
            version = library.stem.rpartition("-")[2]
            yield from _by_script("java", "-cp", library, _HERE / "Read.java", layer, version)
    if shutil.which("cargo") and any(_DEBIAN_CRATES.glob("flate2-*")):
        yield from _by_rust(layer)


def readings_of_script(*command: str | Path) -> Iterator[dict[str, Any]]:
    """Yield what one of this folder's scripts prints: a JSON object a line."""
    finished = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - ours
    assert finished.returncode == 0, finished.stderr.decode()
    yield from map(json.loads, finished.stdout.splitlines())


def _by_script(*command: str | Path) -> Iterator[Reading]:
    for answer in readings_of_script(*command):
        yield Reading(**answer)


def _by_go(layer: Path) -> Iterator[Reading]:
    finished = subprocess.run(  # noqa: S603 - ours
        [go()], input=f"{layer}\n".encode(), capture_output=True, check=True, timeout=_SECONDS
    )
    answer = json.loads(finished.stdout)
    lines = sorted(
        f"{each['name'].rstrip('/')} {each['sha256']}\n".encode() for each in answer["members"] or ()
    )
    digest = "" if answer["error"] else hashlib.sha256(b"".join(lines)).hexdigest()
    version = version_of((str(tool("readers", "go")), "version"))
    yield Reading("archive/tar, compress/gzip", f"Go {version}", "files", digest, answer["error"])


def _by_inflating(name: str, command: Sequence[str], layer: Path, url: str) -> Reading:
    finished = _finished(command, layer=layer, url=url)
    failed = finished.returncode != 0
    return Reading(
        name,
        _version_of_program(command[0]),
        "tar",
        "" if failed else hashlib.sha256(finished.stdout).hexdigest(),
        finished.stderr.decode() if failed else "",
    )


def _by_unpacking(name: str, command: Sequence[str], layer: Path) -> Reading:
    with TemporaryDirectory() as folder:
        finished = _finished(command, layer=layer, folder=folder)
        failed = finished.returncode != 0
        digest = "" if failed else digest_of_folder(Path(folder))
    program = "tar" if command[0] == "sh" else command[0]
    return Reading(
        name, _version_of_program(program), "files", digest, finished.stderr.decode() if failed else ""
    )


def digest_of_folder(folder: Path) -> str:
    """Return `digest_of_files` of what lies in a folder."""
    return digest_of_files(
        (path.relative_to(folder).as_posix(), path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    )


def _by_rust(layer: Path) -> Iterator[Reading]:
    """Compile and run the program in Rust, with the crates that Debian packages."""
    with TemporaryDirectory() as folder:
        project, seen = Path(folder, "project"), Path(folder, "seen")
        shutil.copytree(_HERE / "rust", project)
        seen.mkdir()
        settings = {
            "CARGO_HOME": str(Path(folder, "home")),
            "CARGO_SOURCE_CRATES_IO_REPLACE_WITH": "debian",
            "CARGO_SOURCE_DEBIAN_DIRECTORY": str(_DEBIAN_CRATES),
            "CARGO_NET_OFFLINE": "true",
        }
        (project / ".cargo").mkdir()
        (project / ".cargo" / "config.toml").write_text(
            f'[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "{_DEBIAN_CRATES}"\n'
        )
        command = ["cargo", "run", "-q", "--offline", "--", str(layer), str(seen)]
        finished = subprocess.run(  # noqa: S603 - ours
            command,
            cwd=project,
            env=os.environ | settings,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
        assert (seen / "MultiGzDecoder").exists(), finished.stderr.decode()
        flate2, tar = (next(_DEBIAN_CRATES.glob(f"{name}-[0-9]*")).name for name in ("flate2", "tar"))
        for decoder in ("GzDecoder", "MultiGzDecoder"):
            digest = hashlib.sha256((seen / decoder).read_bytes()).hexdigest()
            yield Reading(f"flate2 {decoder}", f"Rust, {flate2}", "tar", digest)
        yield Reading("tar behind GzDecoder", f"Rust, {tar}", "files", digest_of_folder(seen / "unpacked"))


def _finished(command: Sequence[str], **places: str | Path) -> subprocess.CompletedProcess[bytes]:
    filled = [str(find(command[0])), *(part.format(**places) for part in command[1:])]
    return subprocess.run(filled, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - of the tables above


def _version_of_program(name: str) -> str:
    return version_of((str(find(name)), *(() if name in ("busybox", "7zz") else ("--version",))))


def version_of(command: Sequence[str]) -> str:
    """Return the first version number that a command prints."""
    finished = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603 - of the tables above
    found = _VERSION.search((finished.stdout + finished.stderr).decode())
    return found[0] if found else "?"


@contextmanager
def _served(layer: Path) -> Iterator[str]:
    """Serve the layer as what it is not, but is often taken for: a tar with `Content-Encoding: gzip`."""
    content = layer.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-tar")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of a client that hangs up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/layer.tar"
        finally:
            server.shutdown()
            thread.join()
