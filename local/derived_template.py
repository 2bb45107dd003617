"""The template for `sam local`: derived from the built one, which stays unchanged for AWS.

The changes, in the order of the code:

- The processor becomes this machine's. Lambda's image for another one runs by emulation or not at all.
- The authorizer is referred to as a function, not by its alias. SAM CLI cannot parse the alias, and then answers every
  request 401.
- Three variables are declared, because SAM CLI passes on only those that a function declares. Here they are empty,
  which boto3 and Lambda treat as unset. The env file fills them in.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layers.packyard.toolchain import processor

from local import forwarder
from local.environments import LOCAL
from local.sam_deployment import Build

ENDPOINT = "AWS_ENDPOINT_URL"
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"

# Where the layer has the forwarder, below Lambda's /opt.
_FORWARDER = Path("packyard-local") / "forwarder.py"


def derived(template: Mapping[str, Any], *, architecture: str) -> dict[str, Any]:
    """Return the template that `sam local` can use.

    Args:
        template: The built template, with its intrinsic functions in their long form.
        architecture: `x86_64` or `arm64`.
    """
    made: dict[str, Any] = copy.deepcopy(dict(template))
    shared = made["Globals"]["Function"]
    shared["Architectures"] = [architecture]
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource.get("Metadata", {}).pop("BuildArchitecture", None)
            resource["Properties"]["CompatibleArchitectures"] = [architecture]
        if resource["Type"] == "AWS::Serverless::Api":
            for authorizer in resource["Properties"].get("Auth", {}).get("Authorizers", {}).values():
                function, _, _alias = authorizer["FunctionArn"]["Ref"].partition(".")
                authorizer["FunctionArn"] = {"Fn::GetAtt": [function, "Arn"]}
    shared["Environment"]["Variables"] |= {ENDPOINT: "", WRAPPER: "", forwarder.VARIABLE: ""}
    return made


def write_template(build: Build) -> Path:
    """Write the derived template beside the built one, and the forwarder into the layer. Return the template's path.

    Args:
        build: The build for the target `container`, which exists only if Lambda has this machine's processor.
    """
    # PyYAML is slow to import, and running a function without a container does not need it.
    import yaml  # noqa: PLC0415

    template = yaml.safe_load(build.template.read_text(encoding="utf-8"))
    path = build.template.with_name("local.json")
    path.write_text(
        json.dumps(derived(template, architecture=processor().on_lambda), indent=1), encoding="utf-8"
    )
    script = build.template.parent / "PackyardLayer" / _FORWARDER
    script.parent.mkdir(exist_ok=True)
    script.write_bytes(Path(forwarder.__file__).read_bytes())
    script.chmod(0o755)
    return path


def environment_file(
    variables: Mapping[str, Mapping[str, str]], *, endpoint_url: str, port: int, hosts: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return the content of SAM's `--env-vars`: every function's variables, as in the running stack.

    Args:
        variables: The deployed functions' variables, by logical id.
        endpoint_url: The emulator's URL, at 127.0.0.1.
        port: The port in that URL.
        hosts: The addresses at which a container may reach this machine.
    """
    reached = {
        ENDPOINT: endpoint_url,
        WRAPPER: f"/opt/{_FORWARDER}",
        forwarder.VARIABLE: " ".join([str(port), *hosts]),
    }
    return {name: {**stated, **reached} for name, stated in variables.items()}


def write_environment_file(content: Mapping[str, Mapping[str, str]], *, port: int) -> Path:
    """Write the env file for a stack, readable by its owner only. Return its path."""
    path = LOCAL / "container" / f"environment-{port}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path
