"""The steps of the layer's build that need no network."""

import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yara_x
from botocore.loaders import Loader
from layers.packyard.assemble import (
    COMPILED_RULES,
    SERVICES,
    TARGETS,
    compile_bytecode,
    compile_rules,
    prune,
    shorten_descriptions,
)
from layers.packyard.toolchain import (
    PROJECT,
    RUNTIME,
    ToolMissing,
    fetched_python,
    find_python,
    find_uv,
    processor,
)

from packyard.scanning.compiled_rules import engine_from, shipped_with

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def _write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("")


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_no_function_imports_is_pruned(tmp_path: Path) -> None:
    kept = {
        "yaml/loader.py",
        "python_ulid-4.1.0.dist-info/METADATA",
        "botocore/data/endpoints.json",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "boto3/data/s3/2006-03-01/resources-1.json",
        "aws_lambda_powertools/event_handler/openapi/swagger_ui/html.py",
    }
    pruned = {
        "bin/jp.py",
        "pyyaml-6.0.3.dist-info/METADATA",
        "yaml/__pycache__/loader.cpython-311.pyc",
        "yaml/_yaml.pyi",
        "somewhere/deep/tests/test_it.py",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        "aws_lambda_powertools/event_handler/openapi/swagger_ui/swagger-ui-bundle.min.js",
    }
    _write(tmp_path, *kept, *pruned)

    prune(tmp_path)

    assert _files(tmp_path) == kept


@pytest.fixture(scope="module")
def shortened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return botocore's data, of the services that the layer ships, as the layer ships them."""
    data = tmp_path_factory.mktemp("layer") / "data"
    whole = Path(botocore.session.__file__).with_name("data")
    data.mkdir()
    for path in whole.iterdir():
        if path.name in SERVICES:
            shutil.copytree(path, data / path.name)
        elif path.is_file():
            shutil.copy(path, data)
    shorten_descriptions(data)
    return data


def _session(loader: Loader) -> botocore.session.Session:
    session = botocore.session.get_session()
    session.set_credentials("access", "secret")
    session.register_component("data_loader", loader)
    return session


def _described(model: Any) -> dict[str, Any]:
    """Return what a client makes of its API's description."""
    shapes = [model.shape_for(name) for name in model.shape_names]
    return {
        shape.name: (
            shape.type_name,
            shape.serialization,
            shape.metadata,
            list(getattr(shape, "members", ())),
        )
        for shape in shapes
    }


def test_the_layer_has_the_descriptions_of_all_services_that_the_code_asks_for() -> None:
    modules = (PROJECT / "layers/packyard/python/packyard/composition").glob("*.py")
    code = "".join(module.read_text() for module in modules)

    assert set(re.findall(r"client\(\s*\"([a-z0-9]+)\"", code)) == SERVICES


def test_clients_are_the_same_with_shortened_descriptions(shortened: Path) -> None:
    ours = _session(Loader(extra_search_paths=[str(shortened)], include_default_search_paths=False))
    whole = _session(Loader())
    for service in sorted(SERVICES):
        # Two partitions, and a Region that botocore does not know.
        for region in ("us-east-1", "cn-north-1", "eu-central-9"):
            clients: list[Any] = [
                session.create_client(service, region_name=region) for session in (ours, whole)
            ]
            assert len({(client.meta.endpoint_url, client.meta.partition) for client in clients}) == 1
        made, expected = (client.meta.service_model for client in clients)
        assert made.operation_names == expected.operation_names
        assert _described(made) == _described(expected)
        # What is worked out with the first request only.
        assert made.client_context_parameters == expected.client_context_parameters


def test_a_client_with_shortened_descriptions_signs_a_request_for_a_bucket(shortened: Path) -> None:
    session = _session(Loader(extra_search_paths=[str(shortened)], include_default_search_paths=False))
    client: Any = session.create_client("s3", region_name="us-east-1")

    url = client.generate_presigned_url("get_object", Params={"Bucket": "packs", "Key": "a"})

    assert url.startswith("https://packs.s3.amazonaws.com/a?")


def test_descriptions_are_a_fraction_of_botocores(shortened: Path) -> None:
    known = json.loads((shortened / "endpoints.json").read_bytes())
    described = next((shortened / "dynamodb").glob("2012*/service-2.json.gz"))

    assert {name for partition in known["partitions"] for name in partition["services"]} == {
        "api.ecr",
        "dynamodb",
        "events",
        "kms",
        "lambda",
        "s3",
        "secretsmanager",
        "sqs",
        "sts",
    }
    assert (shortened / "endpoints.json").stat().st_size < 100_000
    assert len(gzip.decompress(described.read_bytes())) < 200_000


def test_a_member_called_documentation_stays(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"partitions": []}')
    path = tmp_path / "sqs" / "2012-11-05" / "service-2.json.gz"
    path.parent.mkdir(parents=True)
    shape = {"type": "structure", "required": ["documentation"], "documentation": "<p>Prose.</p>"}
    member = {"shape": "Text", "documentation": "<p>Prose.</p>"}
    described = {"shapes": {"Book": {**shape, "members": {"documentation": member}}}}
    path.write_bytes(gzip.compress(json.dumps(described).encode()))

    shorten_descriptions(tmp_path)

    assert json.loads(gzip.decompress(path.read_bytes())) == {
        "shapes": {
            "Book": {
                "type": "structure",
                "required": ["documentation"],
                "members": {"documentation": {"shape": "Text"}},
            }
        }
    }


def test_the_scanner_s_rules_are_compiled_to_where_its_function_looks_for_them(tmp_path: Path) -> None:
    engine = Path(yara_x.__file__).parents[1]
    compile_rules(tmp_path, engine=engine)
    compiled = tmp_path / COMPILED_RULES

    assert shipped_with(engine) == engine / COMPILED_RULES
    assert compiled.stat().st_mode & 0o777 == 0o644
    before = compiled.stat().st_ino
    assert engine_from(compiled, keep=True).find(b"stratum+tcp://pool.invalid", seconds=1).matches
    assert compiled.stat().st_ino == before


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
    nowhere = {"PATH": path, "PYENV_ROOT": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}

    assert find_python("9.9", environment=nowhere) is None


def test_where_none_can_be_had_the_lines_that_help_are_said(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'error: no such host' >&2\nexit 2\n")
    uv.chmod(0o755)

    with pytest.raises(ToolMissing) as raised:
        fetched_python("9.9", uv=uv)

    said = str(raised.value)
    assert "Python 9.9 is missing" in said
    assert "(error: no such host)" in said
    assert "apt-get install python9.9" in said
    assert "PACKYARD_PYTHON=/path/to/python9.9 make build" in said


def test_one_that_uv_has_fetched_before_is_found(tmp_path: Path) -> None:
    fetched = tmp_path / "cpython-9.9.1-linux-x86_64-gnu" / "bin" / "python9.9"
    fetched.parent.mkdir(parents=True)
    fetched.write_text("#!/bin/sh\necho 9.9\n")
    fetched.chmod(0o755)
    nowhere = {"PYENV_ROOT": str(tmp_path / "none"), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}

    assert find_python("9.9", environment=nowhere) == fetched


def test_the_interpreter_at_hand_is_taken_when_it_is_of_the_version() -> None:
    found = find_python(THIS_PYTHON, environment={})

    assert found == Path(sys.executable)


def test_the_named_interpreter_comes_first(tmp_path: Path) -> None:
    named = tmp_path / "python"
    named.write_text("#!/bin/sh\necho 9.9\n")
    named.chmod(0o755)

    found = find_python("9.9", environment={"PACKYARD_PYTHON": str(named)})

    assert found == named


def test_uv_comes_from_the_project() -> None:
    assert find_uv(environment={}).name == "uv"


def in_a_clone_without_setup(
    folder: Path, *arguments: str, path: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a part of the layer's build where there is no `.venv`, and no uv on the path."""
    (folder / "layers").mkdir()
    shutil.copytree(
        PROJECT / "layers" / "packyard",
        folder / "layers" / "packyard",
        ignore=shutil.ignore_patterns("python", "__pycache__"),
    )
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-m", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": path, "HOME": str(folder)},
    )


@pytest.mark.parametrize("module", ["materials", "assemble"])
def test_without_uv_the_build_says_what_brings_it(module: str, tmp_path: Path) -> None:
    ended = in_a_clone_without_setup(tmp_path, f"layers.packyard.{module}", "--output", str(tmp_path / "out"))

    assert ended.returncode == 1
    assert ended.stderr.startswith("layer: uv is missing")
    assert "make build" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()


def test_what_the_build_will_have_to_fetch_is_said_before_anything_is_installed(tmp_path: Path) -> None:
    ended = in_a_clone_without_setup(tmp_path, "layers.packyard.toolchain", "--only-look")

    assert ended.returncode == 0
    present = find_python(
        RUNTIME, environment={"PATH": "", "PYENV_ROOT": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    )
    assert ("PACKYARD_PYTHON=" in ended.stdout) == (present is None)


@pytest.mark.parametrize(
    ("machine", "on_lambda", "platforms"),
    [
        ("x86_64", "x86_64", ["aarch64-manylinux_2_28", "x86_64-manylinux_2_28", None]),
        ("AMD64", "x86_64", ["aarch64-manylinux_2_28", "x86_64-manylinux_2_28", None]),
        ("aarch64", "arm64", ["aarch64-manylinux_2_28", "aarch64-manylinux_2_28", None]),
        ("arm64", "arm64", ["aarch64-manylinux_2_28", "aarch64-manylinux_2_28", None]),
    ],
)
def test_a_container_gets_a_layer_for_the_machine_that_it_runs_on(
    machine: str, on_lambda: str, platforms: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)

    assert processor().on_lambda == on_lambda
    assert [TARGETS[name].platform for name in ("lambda", "container", "local")] == platforms


def test_a_machine_whose_processor_lambda_lacks_can_build_for_lambda_but_not_for_a_container_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    assert [TARGETS[name].platform for name in ("lambda", "local")] == ["aarch64-manylinux_2_28", None]
    with pytest.raises(ToolMissing, match="this machine's is riscv64"):
        _ = TARGETS["container"].platform
