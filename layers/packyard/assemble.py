"""Assembles the layer: the locked dependencies and the `packyard` package, pruned and compiled.

Two targets from the one `uv.lock`: `lambda` is what AWS gets (arm64, the template's Python), `local` is the same
for the interpreter of this machine. The standard library is enough to run this; uv does the installing.

The result is reproducible: equal inputs give equal bytes. Bytecode is checked by nobody at run time (PEP 552,
unchecked hash), so it stays valid whatever time stamps a zip or a deployment gives the files.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent

# The services whose API descriptions stay; boto3 ships some four hundred, 26 MB of them.
SERVICES = frozenset({"dynamodb", "ecr", "s3", "sqs"})

# Nothing imports these.
CLUTTER = (
    ".lock",
    "bin",
    "**/__pycache__",
    "**/tests",
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.[ch]",
    "boto3/examples",
    "cffi",  # a compiler's half; what runs is _cffi_backend
    "isal/isa-l",
    "joserfc/drafts",
    "pycparser",
    "pydantic/v1",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
)

# Metadata goes too: pydantic searches it for plugins on every cold start. But this one asks it for its version.
READS_ITS_METADATA = ("python_ulid-",)


class AssemblyError(Exception):
    """The layer cannot be built here; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a layer is built for.

    Attributes:
        python: Version as `major.minor`.
        platform: uv's name for system and processor; None for the machine that this runs on.
    """

    python: str
    platform: str | None


TARGETS = {
    # Amazon Linux 2023, which python3.13 runs on, has glibc 2.34.
    "lambda": Target(python="3.13", platform="aarch64-manylinux_2_28"),
    "local": Target(python=f"{sys.version_info.major}.{sys.version_info.minor}", platform=None),
}


def find_uv(*, environment: Mapping[str, str]) -> Path:
    """Return the uv of the project's own virtual environment, else the one on the path.

    Raises:
        AssemblyError: There is neither.
    """
    own = PROJECT / ".venv" / "bin" / "uv"
    if own.exists():
        return own
    found = shutil.which("uv", path=environment.get("PATH"))
    if found is None:
        raise AssemblyError("uv is not installed; `make setup` installs it into .venv")
    return Path(found)


def find_python(version: str, *, uv: Path, environment: Mapping[str, str]) -> Path:
    """Return an interpreter of the minor version `version`; one that uv downloads, when there is none.

    Bytecode is tied to the minor version (PEP 3147), so no other will do.

    Raises:
        AssemblyError: None is installed, and none could be downloaded.
    """
    for candidate in _candidates(version, environment=environment):
        if _version_of(candidate) == version:
            return candidate
    managed = ["--managed-python", "--no-project", version]
    subprocess.run([uv, "python", "install", "-q", version], check=False, capture_output=True)
    found = subprocess.run([uv, "python", "find", *managed], check=False, capture_output=True, text=True)
    if found.returncode == 0:
        return Path(found.stdout.strip())
    raise AssemblyError(
        f"the layer's bytecode needs Python {version}: install python{version}, or name one in PACKYARD_PYTHON"
    )


def _candidates(version: str, *, environment: Mapping[str, str]) -> Iterator[Path]:
    if named := environment.get("PACKYARD_PYTHON"):
        yield Path(named)
    yield Path(sys.executable)
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield Path(folder) / f"python{version}"
    # A pyenv shim on the path only works for the versions that pyenv has switched on.
    pyenv = Path(environment.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _version_of(python: Path) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def install_dependencies(folder: Path, *, target: Target, uv: Path) -> None:
    """Put the locked dependencies into `folder`: wheels only, each checked against its hash in `uv.lock`.

    Raises:
        subprocess.CalledProcessError: uv refused; it has said why on standard error.
    """
    locked = subprocess.run(
        [uv, "export", "-q", "--frozen", "--no-dev", "--no-emit-project", "--project", PROJECT],
        check=True,
        capture_output=True,
    ).stdout
    with tempfile.NamedTemporaryFile(suffix=".txt") as requirements:
        requirements.write(locked)
        requirements.flush()
        where: list[str | Path] = (
            ["--python-platform", target.platform] if target.platform else ["--python", sys.executable]
        )
        strict = ["--only-binary", ":all:", "--no-deps", "--require-hashes"]
        install: list[str | Path] = [
            uv,
            "pip",
            "install",
            "-q",
            "--target",
            folder,
            "--python-version",
            target.python,
        ]
        subprocess.run([*install, *where, *strict, "-r", requirements.name], check=True)


def prune(folder: Path) -> None:
    """Remove what no function imports: clutter, and the API descriptions of services that we do not use."""
    for pattern in CLUTTER:
        for path in sorted(folder.glob(pattern)):
            _remove(path)
    for path in sorted(folder.glob("*.dist-info")):
        if not path.name.startswith(READS_ITS_METADATA):
            _remove(path)
    for data in (folder / "botocore" / "data", folder / "boto3" / "data"):
        for path in sorted(data.iterdir()):
            if path.is_dir() and path.name not in SERVICES:
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def compile_bytecode(folder: Path, *, python: Path) -> None:
    """Compile everything in `folder` with `python`, naming the files as they will lie in `/opt/python`.

    Raises:
        subprocess.CalledProcessError: A file does not compile.
    """
    compileall: list[str | Path] = [
        python,
        "-I",
        "-m",
        "compileall",
        "-q",
        "-f",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    # The order of a set's members is part of the bytecode.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*compileall, "-s", folder, "-p", "/opt/python", folder], check=True, env=environment)


def assemble(output: Path, *, target: Target, uv: Path, python: Path | None) -> None:
    """Build the layer's `python` folder at `output`, which must not exist yet or be empty.

    Args:
        output: Where the folder goes.
        target: What it is for.
        uv: Does the installing.
        python: Compiles the bytecode, so it must be of the target's version; None leaves the bytecode out.
    """
    output.mkdir(parents=True, exist_ok=True)
    install_dependencies(output, target=target, uv=uv)
    shutil.copytree(
        HERE / "python" / "packyard", output / "packyard", ignore=shutil.ignore_patterns("__pycache__")
    )
    prune(output)
    if python is not None:
        compile_bytecode(output, python=python)


def main() -> int:
    """Build the layer that the command line asks for."""
    arguments = argparse.ArgumentParser(description="Assemble the layer.")
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--target", choices=sorted(TARGETS), default="lambda")
    options = arguments.parse_args()
    target = TARGETS[options.target]
    try:
        uv = find_uv(environment=os.environ)
        python = find_python(target.python, uv=uv, environment=os.environ)
        assemble(options.output, target=target, uv=uv, python=python)
    except AssemblyError as error:
        print(f"layer: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in options.output.rglob("*") if path.is_file())
    made_for = f"Python {target.python}, {target.platform or platform.machine()}"
    print(f"layer: {options.target}, {made_for}, {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
