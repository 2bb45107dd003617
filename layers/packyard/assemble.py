"""Assembles the layer: the locked dependencies and the `packyard` package, pruned and compiled.

Three targets from the one `uv.lock`: `lambda` is what AWS gets (arm64, the template's Python), `container` is the same
for this machine's processor, and `local` is for the interpreter that runs this, whatever its version. The standard
library is enough to run this; uv does the installing.

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
from dataclasses import dataclass
from pathlib import Path

from layers.packyard.toolchain import (
    PROJECT,
    RUNTIME,
    ToolMissing,
    fetched_python,
    find_python,
    find_uv,
    processor,
)

HERE = Path(__file__).resolve().parent

# The services whose API descriptions stay; boto3 ships some four hundred, 26 MB of them.
SERVICES = frozenset({"dynamodb", "ecr", "s3", "secretsmanager", "sqs"})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a layer is built for.

    Attributes:
        python: Version as `major.minor`.
        system: The part of uv's name for system and processor that follows the processor; None for the machine that
            this runs on.
        processor: uv's name for the processor; None for this machine's.
        needs_bytecode: Whether a layer without it is of no use, rather than slower at its start.
    """

    python: str
    system: str | None = None
    processor: str | None = None
    needs_bytecode: bool

    @property
    def platform(self) -> str | None:
        """The name that uv has for system and processor; None for the machine that this runs on.

        Raises:
            ToolMissing: It is for Lambda's system on this machine's processor, and Lambda has none of its kind.
        """
        return self.system and f"{self.processor or processor().in_uv}-{self.system}"


# Amazon Linux 2023, which python3.13 runs on, has glibc 2.34.
_AMAZON_LINUX = "manylinux_2_28"
TARGETS = {
    "lambda": Target(python=RUNTIME, system=_AMAZON_LINUX, processor="aarch64", needs_bytecode=True),
    "container": Target(python=RUNTIME, system=_AMAZON_LINUX, needs_bytecode=False),
    "local": Target(python=f"{sys.version_info.major}.{sys.version_info.minor}", needs_bytecode=True),
}


def install_dependencies(folder: Path, *, target: Target, uv: Path) -> None:
    """Put the locked dependencies into `folder`: wheels only, each checked against its hash in `uv.lock`.

    Raises:
        ToolMissing: As for `Target.platform`.
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
        python = find_python(target.python, environment=os.environ)
        if python is None and target.needs_bytecode:
            python = fetched_python(target.python, uv=uv)
        assemble(options.output, target=target, uv=uv, python=python)
    except ToolMissing as error:
        print(f"layer: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in options.output.rglob("*") if path.is_file())
    made_for = f"Python {target.python}, {target.platform or platform.machine()}"
    without = "" if python else ", without bytecode, because that Python is not here: it starts more slowly"
    print(f"layer: {options.target}, {made_for}, {size / 1e6:.1f} MB{without}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
