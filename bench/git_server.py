"""A bare repository over HTTP, served by git's own program (`git http-backend`, a CGI program), on a loopback port."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from local.emulator import HOST

from bench.processes import Arguments, ProgramFailed, measure


def bare_repository(files: Path, *, folder: Path) -> Path:
    """Return a new bare repository whose one commit has the files of a folder.

    Args:
        files: The folder.
        folder: Where the repository comes to be.

    Raises:
        ProgramFailed: git failed.
    """
    work, bare = folder / "skill", folder / "skill.git"
    shutil.copytree(files, work)
    author = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
    commands: list[Arguments] = [
        ("git", "init", "--quiet"),
        ("git", "add", "."),
        ("git", *author, "commit", "--quiet", "--message=A skill"),
        ("git", "clone", "--quiet", "--bare", work, bare),
    ]
    for command in commands:
        measure(command, folder=work)
    return bare


@contextmanager
def served_by_git(repository: Path) -> Iterator[str]:
    """Serve a bare repository while the block lasts, and return its URL."""

    class Handler(_Handler):
        root = repository.parent

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/{repository.name}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    root: Path
    wbufsize = -1

    def _serve(self) -> None:
        url, size = urlsplit(self.path), int(self.headers.get("Content-Length", 0))
        meta = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        ran = subprocess.run(
            ["git", "http-backend"],  # noqa: S607 - the git that clones, too
            input=self.rfile.read(size),
            env=os.environ | meta,
            capture_output=True,
            check=False,
        )
        if ran.returncode:
            raise ProgramFailed(ran.stderr.decode())
        head, _, body = ran.stdout.partition(b"\r\n\r\n")
        headers = BytesParser().parsebytes(head)
        self.send_response(int(headers.get("Status", "200").partition(" ")[0]))
        for name, value in headers.items():
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    # The names are the library's.
    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""
