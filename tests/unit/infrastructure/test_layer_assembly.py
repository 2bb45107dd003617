"""The steps of the layer's build that need no network."""

import os
import sys
from pathlib import Path

import pytest
from layers.packyard.assemble import AssemblyError, compile_bytecode, find_python, find_uv, prune

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def _write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("")


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_no_function_imports_is_pruned(tmp_path: Path) -> None:
    kept = {
        "pydantic/main.py",
        "python_ulid-4.1.0.dist-info/METADATA",
        "botocore/data/endpoints.json",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "boto3/data/s3/2006-03-01/resources-1.json",
        "aws_lambda_powertools/event_handler/openapi/swagger_ui/html.py",
    }
    pruned = {
        "bin/jp.py",
        "pydantic-2.14.3.dist-info/METADATA",
        "pydantic/__pycache__/main.cpython-311.pyc",
        "yaml/_yaml.pyi",
        "somewhere/deep/tests/test_it.py",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui-bundle.min.js",
    }
    _write(tmp_path, *kept, *pruned)

    prune(tmp_path)

    assert _files(tmp_path) == kept


def test_bytecode_is_trusted_as_it_lies_whatever_time_its_source_has(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("ANSWER = 42\n")

    compile_bytecode(tmp_path, python=Path(sys.executable))

    (compiled,) = tmp_path.glob("__pycache__/module.*.pyc")
    # PEP 552: bit 0 says that it goes by the source's hash, bit 1 (unset) that somebody should compare it.
    assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"
    assert b"/opt/python/module.py" in compiled.read_bytes()


def test_an_interpreter_of_another_version_is_not_taken(tmp_path: Path) -> None:
    for name, version in (("wrong", "3.0"), ("right", THIS_PYTHON)):
        (tmp_path / name).mkdir()
        program = tmp_path / name / "python9.9"
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    path = os.pathsep.join(str(tmp_path / name) for name in ("missing", "wrong", "right"))
    nowhere = {"PATH": path, "PYENV_ROOT": str(tmp_path)}

    with pytest.raises(AssemblyError, match=r"Python 9\.9"):
        find_python("9.9", uv=Path("/bin/false"), environment=nowhere)


def test_the_interpreter_at_hand_is_taken_when_it_is_of_the_version() -> None:
    found = find_python(THIS_PYTHON, uv=Path("/bin/false"), environment={})

    assert found == Path(sys.executable)


def test_the_named_interpreter_comes_first(tmp_path: Path) -> None:
    named = tmp_path / "python"
    named.write_text("#!/bin/sh\necho 9.9\n")
    named.chmod(0o755)

    found = find_python("9.9", uv=Path("/bin/false"), environment={"PACKYARD_PYTHON": str(named)})

    assert found == named


def test_uv_comes_from_the_project() -> None:
    assert find_uv(environment={}).name == "uv"
