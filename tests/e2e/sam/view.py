"""What SAM CLI makes of a template and an env file, as JSON: run by the Python that has SAM CLI, without an engine."""

import json
import sys
from pathlib import Path

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider


def main(template: str, environment: str) -> None:
    """Print every function with what it would be started with, and every route with its authorizer."""
    stacks, _ = SamLocalStackProvider.get_stacks(template, parameter_overrides={"LogLevel": "DEBUG"})
    provider = SamFunctionProvider(stacks)
    runner = LocalLambdaRunner(
        local_runtime=None,
        function_provider=provider,
        cwd="",
        real_path="",
        env_vars_values=json.loads(Path(environment).read_text(encoding="utf-8")),
    )
    functions = {
        function.name: {
            "variables": runner._make_env_vars(function).resolve(),  # noqa: SLF001 - it has no other door
            "architecture": function.architecture,
            "layers": [layer.codeuri for layer in function.layers],
        }
        for function in provider.get_all()
    }
    api = ApiProvider(stacks, "").api
    routes = {
        f"{method} {route.path}": getattr(route.authorizer_object, "lambda_name", None)
        for route in api.routes
        for method in route.methods
    }
    print(json.dumps({"functions": functions, "routes": routes}))  # noqa: T201 - its answer


main(*sys.argv[1:])
