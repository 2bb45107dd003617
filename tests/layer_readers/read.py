"""Reads a layer by each of Python's readers, in an environment that has them: python read.py LAYER URL.

Prints a line of JSON for each: its name, its version, and the SHA-256 of the tar that it sees, or its error. URL
answers with the layer and `Content-Encoding: gzip`. Needs nothing of Packyard.
"""

import asyncio
import gzip
import hashlib
import io
import json
import platform
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import aiohttp
import cramjam
import deflate
import httpx
import indexed_gzip
import isal.igzip_lib
import isal.isal_zlib
import rapidgzip
import requests
import stream_inflate
import urllib3
import zlib_ng.zlib_ng

Read = Callable[[], bytes]


def sha256_of_files(files: Iterable[tuple[str, bytes]]) -> str:
    """Return one digest for names and contents, as the other languages' scripts make it."""
    lines = sorted(f"{name.rstrip('/')} {hashlib.sha256(content).hexdigest()}\n" for name, content in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(read: Read) -> str:
    return hashlib.sha256(read()).hexdigest()


def _files(tar: tarfile.TarFile) -> str:
    return sha256_of_files(
        (member.name, file.read() if (file := tar.extractfile(member)) else b"") for member in tar
    )


async def _by_aiohttp(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return bytes(await answer.read())


def _by_tarfile(layer: bytes, mode: Literal["r:gz", "r|gz"]) -> str:
    with tarfile.open(None, mode, io.BytesIO(layer)) as tar:
        return _files(tar)


def _in_pieces(decompressor: "zlib._Decompress", layer: bytes) -> bytes:
    return b"".join(decompressor.decompress(layer[at : at + 65536]) for at in range(0, len(layer), 65536))


def main(path: str, url: str) -> None:
    """Read the layer by everything here."""
    layer = Path(path).read_bytes()
    standard = f"Python {platform.python_version()}"
    size = int.from_bytes(layer[-4:], "little")

    def by_requests() -> bytes:
        return requests.get(url, timeout=20).content

    def by_requests_stream() -> bytes:
        with requests.get(url, timeout=20, stream=True) as answer:
            return b"".join(answer.iter_content(10_000))

    def by_urllib3() -> bytes:
        return urllib3.request("GET", url).data

    def by_urllib3_read() -> bytes:
        answer = urllib3.request("GET", url, preload_content=False)
        return b"".join(iter(lambda: answer.read(10_000), b""))

    def by_httpx() -> bytes:
        return bytes(httpx.get(url).content)

    def by_httpx_stream() -> bytes:
        with httpx.stream("GET", url) as answer:
            return b"".join(answer.iter_bytes(10_000))

    def by_stream_inflate() -> bytes:
        chunks, _, _ = stream_inflate.stream_inflate()
        return b"".join(chunks([layer[10:-8]]))

    whole: dict[str, tuple[str, Read]] = {
        "gzip.decompress": (standard, lambda: gzip.decompress(layer)),
        "gzip.GzipFile": (standard, lambda: gzip.GzipFile(fileobj=io.BytesIO(layer)).read()),
        "zlib.decompress(wbits=31)": (standard, lambda: zlib.decompress(layer, 31)),
        "zlib.decompressobj(31)": (standard, lambda: _in_pieces(zlib.decompressobj(31), layer)),
        "isal.igzip_lib": (
            version("isal"),
            lambda: isal.igzip_lib.decompress(layer, isal.igzip_lib.DECOMP_GZIP),
        ),
        "isal.isal_zlib": (version("isal"), lambda: isal.isal_zlib.decompress(layer, 31)),
        "zlib_ng": (version("zlib-ng"), lambda: zlib_ng.zlib_ng.decompress(layer, 31)),
        "deflate (libdeflate)": (version("deflate"), lambda: bytes(deflate.gzip_decompress(layer, size))),
        "indexed_gzip": (
            version("indexed_gzip"),
            lambda: indexed_gzip.IndexedGzipFile(io.BytesIO(layer)).read(),
        ),
        "rapidgzip": (version("rapidgzip"), lambda: rapidgzip.open(path).read()),
        "cramjam": (version("cramjam"), lambda: bytes(cramjam.gzip.decompress(layer))),
        "stream-inflate": (version("stream-inflate"), by_stream_inflate),
        "requests, Content-Encoding": (version("requests"), by_requests),
        "requests, streamed": (version("requests"), by_requests_stream),
        "urllib3, Content-Encoding": (version("urllib3"), by_urllib3),
        "urllib3, in pieces": (version("urllib3"), by_urllib3_read),
        "httpx, Content-Encoding": (version("httpx"), by_httpx),
        "httpx, streamed": (version("httpx"), by_httpx_stream),
        "aiohttp, Content-Encoding": (version("aiohttp"), lambda: asyncio.run(_by_aiohttp(url))),
    }
    listed: dict[str, tuple[str, Callable[[], str]]] = {
        "tarfile r:gz": (standard, lambda: _by_tarfile(layer, "r:gz")),
        "tarfile r|gz (stream)": (standard, lambda: _by_tarfile(layer, "r|gz")),
    }
    for name, (made_by, read) in whole.items():
        _report(name, made_by, "tar", partial(_sha256, read))
    for name, (made_by, list_files) in listed.items():
        _report(name, made_by, "files", list_files)


def _report(name: str, made_by: str, kind: str, read: Callable[[], str]) -> None:
    answer = {"reader": name, "version": made_by, "kind": kind, "digest": "", "error": ""}
    try:
        answer["digest"] = read()
    except Exception as error:  # noqa: BLE001 - whatever a reader raises is what is to be reported
        answer["error"] = f"{type(error).__name__}: {error}"
    sys.stdout.write(f"{json.dumps(answer)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
