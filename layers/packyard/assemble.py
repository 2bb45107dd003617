"""Assembles a layer: the locked dependencies and the `packyard` package, pruned and compiled.

The layer `packyard` is that of all functions. The layer `scanner` has what only the scanner needs besides.
There are three targets, all from the same `uv.lock`. `lambda` is deployed to AWS (arm64, the template's Python).
`container` is the same for this machine's processor. `local` is for the interpreter that runs this script. The script
needs only the standard library, and uv to install packages.

The result is reproducible: equal inputs give equal bytes. Python does not check the bytecode against the sources at run
time (PEP 552, unchecked hash), so it stays valid when a zip or a deployment changes the files' time stamps.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

# The AWS services whose API descriptions are kept. boto3 ships about four hundred, which are 26 MB.
SERVICES = frozenset({"dynamodb", "ecr", "events", "kms", "lambda", "s3", "secretsmanager", "sqs", "sts"})

# The names of those services in `endpoints.json`. ECR's is the prefix of its host names (`endpointPrefix`).
ENDPOINTS = (SERVICES - {"ecr"}) | {"api.ecr"}

# Files of dependencies that nothing imports.
UNUSED_FILES = (
    ".lock",
    "bin",
    "**/__pycache__",
    "**/tests",
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.[ch]",
    "boto3/examples",
    "botocore/data/*/*/examples-1.json",
    "cffi",  # needed to compile only; at run time _cffi_backend is used
    "isal/isa-l",
    "joserfc/drafts",
    "pycparser",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
)

# The scanner's compiled rules, beside yara-x (`packyard.scanning.compiled_rules`).
COMPILED_RULES = "packyard_rules.bin"

# Packages that read their own version from their metadata. Nothing reads any other metadata.
KEPT_METADATA = ("python_ulid-",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The platform for which a layer is built.

    Attributes:
        python: The Python version as `major.minor`.
        system: The system in uv's platform name, which is `<processor>-<system>`; None for this machine's.
        processor: The processor in uv's platform name; None for this machine's.
        needs_bytecode: Whether the build must fail without the Python that compiles bytecode. If not, it leaves the
            bytecode out, and functions start more slowly.
    """

    python: str
    system: str | None = None
    processor: str | None = None
    needs_bytecode: bool

    @property
    def platform(self) -> str | None:
        """The platform's name in uv; None for this machine.

        Raises:
            ToolMissing: The target is Lambda's system on this machine's processor, and Lambda does not support that.
        """
        return self.system and f"{self.processor or processor().in_uv}-{self.system}"


# Lambda's python3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
_AMAZON_LINUX = "manylinux_2_28"
TARGETS = {
    "lambda": Target(python=RUNTIME, system=_AMAZON_LINUX, processor="aarch64", needs_bytecode=True),
    "container": Target(python=RUNTIME, system=_AMAZON_LINUX, needs_bytecode=False),
    "local": Target(python=f"{sys.version_info.major}.{sys.version_info.minor}", needs_bytecode=True),
}


def install_dependencies(folder: Path, *, target: Target, uv: Path, group: str = "layer") -> None:
    """Install the locked dependencies into `folder`: wheels only, each checked against its hash in `uv.lock`.

    Args:
        folder: Where to install.
        group: The dependency group to install.
        target: The platform to install for.
        uv: The uv program.

    Raises:
        ToolMissing: As for `Target.platform`.
        subprocess.CalledProcessError: uv failed; it has written the reason to standard error.
    """
    locked = subprocess.run(
        [uv, "export", "-q", "--frozen", "--only-group", group, "--project", PROJECT],
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
    """Remove files that no function needs: unused modules, metadata, and API descriptions of services not in use."""
    for pattern in UNUSED_FILES:
        for path in sorted(folder.glob(pattern)):
            _remove(path)
    for path in sorted(folder.glob("*.dist-info")):
        if not path.name.startswith(KEPT_METADATA):
            _remove(path)
    for data in (folder / "botocore" / "data", folder / "boto3" / "data"):
        for path in sorted(data.iterdir()) if data.exists() else ():
            if path.is_dir() and path.name not in SERVICES:
                _remove(path)


def shorten_descriptions(data: Path) -> None:
    """Leave out of botocore's JSON what no client reads; making a client consists mostly of parsing it.

    Every client parses `endpoints.json`, which is nearly all about services that we do not use. Four fifths of an API's
    description are prose, which only the SDK's help shows.

    Args:
        data: The folder `botocore/data`.
    """
    endpoints = data / "endpoints.json"
    known = json.loads(endpoints.read_bytes())
    for partition in known["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in ENDPOINTS}
    _replace(endpoints, _compact(known))
    for path in sorted(data.glob("*/*/service-2.json.gz")):
        whole = json.loads(gzip.decompress(path.read_bytes()))
        # botocore reads the prose of these parameters with every endpoint that it works out, and insists on it.
        kept = {name: whole[name] for name in whole.keys() & {"clientContextParams"}}
        description = _without_prose(whole) | kept
        # Without a time stamp equal inputs give equal bytes.
        _replace(path, gzip.compress(_compact(description), mtime=0))


def _without_prose(description: Any) -> Any:
    """Return a description without its `documentation`; what is a member of that name stays, since it is a mapping."""
    if isinstance(description, dict):
        return {
            name: _without_prose(value)
            for name, value in description.items()
            if name != "documentation" or not isinstance(value, str)
        }
    if isinstance(description, list):
        return [_without_prose(value) for value in description]
    return description


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _replace(path: Path, content: bytes) -> None:
    """Write a new file in the place of one that may be a hard link into uv's cache."""
    path.unlink()
    path.write_bytes(content)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def compile_bytecode(folder: Path, *, python: Path) -> None:
    """Compile everything in `folder` with `python`, with the paths that the files will have below `/opt/python`.

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
    # The bytecode of a set depends on the order of its members, which a fixed hash seed makes reproducible.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*compileall, "-s", folder, "-p", "/opt/python", folder], check=True, env=environment)


def assemble(output: Path, *, target: Target, uv: Path, python: Path | None) -> None:
    """Build the layer's `python` folder at `output`.

    Args:
        output: The folder to fill; it must be empty or not exist.
        target: The platform to build for.
        uv: The uv program.
        python: An interpreter of the target's version, which compiles the bytecode; None leaves the bytecode out.

    Raises:
        ToolMissing, subprocess.CalledProcessError: As for `install_dependencies` and `compile_bytecode`.
    """
    output.mkdir(parents=True, exist_ok=True)
    install_dependencies(output, target=target, uv=uv)
    shutil.copytree(
        HERE / "python" / "packyard", output / "packyard", ignore=shutil.ignore_patterns("__pycache__")
    )
    prune(output)
    shorten_descriptions(output / "botocore" / "data")
    if python is not None:
        compile_bytecode(output, python=python)


def compile_rules(folder: Path, *, engine: Path) -> None:
    """Compile the scanner's rules, so that its function need not: into the file that it looks for beside yara-x.

    What is compiled is the same on every processor.

    Args:
        folder: Where yara-x lies in the layer.
        engine: A folder with yara-x for the interpreter that runs this script; it may be the same.

    Raises:
        subprocess.CalledProcessError: The rules do not compile.
    """
    search = os.pathsep.join((str(engine), str(HERE / "python")))
    compiled = folder / COMPILED_RULES
    subprocess.run(
        [sys.executable, "-P", "-B", "-S", "-m", "packyard.scanning.compiled_rules", compiled],
        check=True,
        env={**os.environ, "PYTHONPATH": search},
    )
    # Lambda runs functions as another user than the one that owns a layer's files.
    compiled.chmod(0o644)


def assemble_scanner(output: Path, *, target: Target, uv: Path, python: Path | None) -> None:
    """Build the `python` folder of the scanner's layer at `output`, as `assemble` does with the other."""
    output.mkdir(parents=True, exist_ok=True)
    install_dependencies(output, target=target, uv=uv, group="scan")
    if target.platform is None:
        compile_rules(output, engine=output)
    else:
        with tempfile.TemporaryDirectory() as here:
            try:
                install_dependencies(Path(here), target=TARGETS["local"], uv=uv, group="scan")
            except subprocess.CalledProcessError:
                print(
                    "layer: without compiled rules, since yara-x has no wheel for this machine",
                    file=sys.stderr,
                )
            else:
                compile_rules(output, engine=Path(here))
    prune(output)
    if python is not None:
        compile_bytecode(output, python=python)


LAYERS = {"packyard": assemble, "scanner": assemble_scanner}


def main() -> int:
    """Build the layer as the command line says; return the exit status."""
    arguments = argparse.ArgumentParser(description="Assemble the layer.")
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--target", choices=sorted(TARGETS), default="lambda")
    arguments.add_argument("--layer", choices=sorted(LAYERS), default="packyard")
    options = arguments.parse_args()
    target = TARGETS[options.target]
    try:
        uv = find_uv(environment=os.environ)
        python = find_python(target.python, environment=os.environ)
        if python is None and target.needs_bytecode:
            python = fetched_python(target.python, uv=uv)
        LAYERS[options.layer](options.output, target=target, uv=uv, python=python)
    except ToolMissing as error:
        print(f"layer: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in options.output.rglob("*") if path.is_file())
    made_for = f"Python {target.python}, {target.platform or platform.machine()}"
    without = (
        ""
        if python
        else ", without bytecode, because that Python is not installed: functions start more slowly"
    )
    print(f"layer: {options.target}, {made_for}, {size / 1e6:.1f} MB{without}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
