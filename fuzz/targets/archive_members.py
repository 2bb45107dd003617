"""The tar in a pack's archive. The gzip around it and its headers' checksums are always valid."""

import gzip
from collections.abc import Callable, Iterator

from tests.corpus.cases import accept_cases, reject_cases
from tests.corpus.gzip_bytes import gzipped

from fuzz.accepted_archive import check_image, check_python_sees_the_same, read_or_refuse
from fuzz.tar_mutation import BLOCK, mutate_tar
from packyard.packs.archive.limits import KIB


def check(data: bytes) -> None:
    archive = gzipped(data + bytes(2 * BLOCK))
    contents = read_or_refuse(archive)
    if contents is not None:
        check_python_sees_the_same(archive, contents)
        check_image(contents)


def mutate(data: bytes, max_bytes: int, seed: int, at_random: Callable[[bytes, int], bytes]) -> bytes:
    return mutate_tar(data, max_bytes, seed, at_random)


def seeds() -> Iterator[bytes]:
    for case in (*accept_cases(), *reject_cases()):
        if case.path.stat().st_size <= 8 * KIB and not case.name.startswith(("manifest-", "gzip-")):
            try:
                yield gzip.decompress(case.path.read_bytes())
            except (OSError, EOFError):
                continue
