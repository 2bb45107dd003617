"""Files that name packages, from their content to what a bill of materials says of them.

The first line of an input is the file's path, and the rest is its content.
"""

from collections.abc import Iterator

from packyard.attestations.dependencies import MAX_PACKAGES, dependencies_of, names_packages, readable


def check(data: bytes) -> None:
    first, _, content = data.partition(b"\n")
    path = first.decode("latin-1")
    if not names_packages(path):
        return
    chosen, left_out = readable([(path, len(content))])
    found = dependencies_of([(each, content) for each in chosen], left_out)
    assert found == dependencies_of([(each, content) for each in chosen], left_out)
    assert len(found.named) <= MAX_PACKAGES
    assert set(found.left_out) <= {path}
    for named in found.named:
        assert named.path == path
        url = named.package.purl
        assert url.startswith("pkg:")
        assert url.isascii()
        assert url.isprintable()


def seeds() -> Iterator[bytes]:
    yield b"requirements.txt\nrequests==2.31.0 ; python_version > '3'\n-r other.txt\n# note\nx[y] @ https://h/x.whl\n"
    yield b'package.json\n{"dependencies": {"left-pad": "^1.3.0", "@a/b": "1.0.0"}}'
    yield b'package-lock.json\n{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"}}}'
    yield b'yarn.lock\n"a@^1.0.0", a@~1:\n  version "1.0.1"\n'
    yield b"pnpm-lock.yaml\nlockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {integrity: x}\n"
    yield b'pyproject.toml\n[project]\nname = "x"\ndependencies = ["a>=1", "b==2.0"]\n'
    yield b'uv.lock\n[[package]]\nname = "a"\nversion = "1.0"\n'
    yield b'Pipfile.lock\n{"default": {"a": {"version": "==1.0"}}}'
    yield b'Cargo.lock\n[[package]]\nname = "a"\nversion = "1.0.0"\n'
