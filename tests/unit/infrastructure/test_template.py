"""What the template promises and no linter knows."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from api.examples import REFUSALS
from tests.aws import template

from packyard.composition import settings
from packyard.composition.deadline import COMMIT_SECONDS
from packyard.errors import Unauthenticated
from packyard.messaging.consumer import retry_wait_seconds
from packyard.operations.delete import PURGE_LEASE
from packyard.registry.own.ecr_logins import session_policy
from packyard.tenants.api_key import PermissionSet

PROJECT = Path(__file__).parents[3]
TEMPLATE = template()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}
# The text with its places for values, and those that it does not take from the stack itself.
DASHBOARD, _ = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]
VARIABLES: dict[str, Any] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
RESPONSES: dict[str, Any] = RESOURCES["Api"]["Properties"]["GatewayResponses"]

# The contract's codes with their statuses (API contract, section 1), as far as a gateway can know them.
STATUS_OF_CODE = {
    "validation_error": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "route_not_found": 404,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "internal_error": 500,
    "service_unavailable": 503,
    "timeout": 504,
}

# GatewayResponseType in API Gateway's API reference: all of them, so that no answer leaves without our envelope.
RESPONSE_TYPES = {
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
}


# Which queue invokes which function.
QUEUE_OF = {
    resource["Properties"]["FunctionName"].removesuffix(".Alias"): resource["Properties"][
        "EventSourceArn"
    ].removesuffix(".Arn")
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    # The table's stream is a source too.
    and isinstance(resource["Properties"]["EventSourceArn"], str)
}


def _statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    statements = [statement for policy in function["Policies"] for statement in policy["Statement"]]
    # One that a condition decides about is !If [condition, statement, nothing].
    return [statement[1] if isinstance(statement, list) else statement for statement in statements]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _source(relative: str) -> str:
    return (PROJECT / relative).read_text()


def test_every_folder_of_a_function_is_deployed_once() -> None:
    deployed = sorted(function["CodeUri"] for function in FUNCTIONS.values())

    assert deployed == sorted(f"functions/{path.parent.name}" for path in PROJECT.glob("functions/*/app.py"))


def test_a_function_is_named_after_its_folder() -> None:
    for name, function in FUNCTIONS.items():
        assert function["CodeUri"] == f"functions/{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name).lower()}"


def test_the_functions_get_exactly_the_settings_that_they_read() -> None:
    stated = {name for name in VARIABLES if name.startswith(settings.PREFIX)}

    assert stated == {variable.name for variable in settings.variables()}


SET_BY_PARAMETERS = [
    pytest.param(variable, TEMPLATE["Parameters"][VARIABLES[variable.name]], id=variable.name)
    for variable in settings.variables()
    if isinstance(VARIABLES[variable.name], str) and VARIABLES[variable.name] in TEMPLATE["Parameters"]
]


@pytest.mark.parametrize(("variable", "parameter"), SET_BY_PARAMETERS)
def test_a_parameter_has_the_default_and_the_kind_of_its_setting(
    variable: settings.Variable, parameter: dict[str, Any]
) -> None:
    # The defaults of the template's parameters must equal the code's defaults.
    assert str(parameter.get("Default")) == str(variable.default)
    assert (parameter["Type"] == "Number") == (variable.kind is int)
    assert tuple(parameter.get("AllowedValues", ())) == get_args(variable.kind)


def test_a_setting_without_a_parameter_of_its_own_is_a_resource_and_must_be_there() -> None:
    by_parameter = {parameter.values[0] for parameter in SET_BY_PARAMETERS}

    # The scanner cannot refer to itself, so only those who invoke it are told. Dead letters are shown by one function.
    told_by_some = {"PACKYARD_SCAN_FUNCTION", "PACKYARD_DEAD_LETTER_QUEUES"}

    others = {v.name for v in settings.variables() if v not in by_parameter}
    assert others == set(settings.required()) | told_by_some


def test_the_operator_is_shown_every_queue_of_dead_letters_by_the_name_that_the_command_has_for_it() -> None:
    shown = FUNCTIONS["OperatorView"]["Environment"]["Variables"]["PACKYARD_DEAD_LETTER_QUEUES"]
    outputs = [name for name in template()["Outputs"] if name.endswith("DeadLettersUrl")]

    assert sorted(shown.split()) == sorted(
        f"{name.removesuffix('DeadLettersUrl').lower()}=${{{name.removesuffix('Url')}}}" for name in outputs
    )


def test_who_publishes_and_who_judges_publishes_is_told_of_the_scanner_and_nobody_else() -> None:
    told = {
        name
        for name, function in FUNCTIONS.items()
        if "PACKYARD_SCAN_FUNCTION" in function.get("Environment", {}).get("Variables", {})
    }
    may_ask = {
        name
        for name, function in FUNCTIONS.items()
        if any("lambda:InvokeFunction" in _listed(each["Action"]) for each in _statements(function))
    }

    assert may_ask == {"BuildUpload", "ChangePack", "PutFile", "RescanPacks", "ReuploadPack", "UploadPack"}
    assert told == may_ask | {"ClonePack", "ReplacePack"}


def test_a_route_with_a_feed_s_secret_names_it_and_has_a_throttle_of_its_own() -> None:
    """The functions leave the parameter `secret` out of their log lines (decision 137)."""
    paths = {
        event["Properties"]["Path"]
        for function in FUNCTIONS.values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["Path"].startswith("/f/")
    }
    settings_of = RESOURCES["Api"]["Properties"]["MethodSettings"]
    throttled = {each["ResourcePath"] for each in settings_of if "ThrottlingRateLimit" in each}

    assert all(path.startswith("/f/{secret}/") for path in paths)
    assert {f"/{path[1:].replace('/', '~1')}" for path in paths} <= throttled


def test_the_scanner_has_no_rights_and_no_way_out() -> None:
    scanner = FUNCTIONS["ScanContent"]
    (statement,) = _statements(scanner)
    group = RESOURCES["ScannerGroup"]["Properties"]

    assert statement["Effect"] == "Deny"
    assert set(scanner["VpcConfig"]) == {"SubnetIds", "SecurityGroupIds"}
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    assert "SecurityGroupIngress" not in group
    # Without a route table of its own, a subnet has the VPC's, which leads nowhere else.
    kinds = {resource["Type"] for resource in RESOURCES.values()}
    assert not {kind for kind in kinds if kind.startswith(("AWS::EC2::Route", "AWS::EC2::InternetGateway"))}
    assert not {kind for kind in kinds if kind.startswith(("AWS::EC2::VPCEndpoint", "AWS::EC2::NatGateway"))}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_only_what_its_policy_lists(name: str) -> None:
    for statement in _statements(FUNCTIONS[name]):
        assert not [action for action in _listed(statement["Action"]) if "*" in action]
        everything = [resource for resource in _listed(statement["Resource"]) if resource == "*"]
        # The one action here that IAM knows no resource for (ECR's service authorization reference).
        is_refusal = statement["Effect"] == "Deny"
        assert not everything or is_refusal or statement["Action"] == "ecr:GetAuthorizationToken"


def test_there_is_one_log_for_the_functions_of_one_kind() -> None:
    default = TEMPLATE["Globals"]["Function"]["LoggingConfig"]["LogGroup"]
    logs = {
        name: function.get("LoggingConfig", {}).get("LogGroup", default)
        for name, function in FUNCTIONS.items()
    }
    requests = {
        name
        for name, function in FUNCTIONS.items()
        if any(event["Type"] == "Api" for event in function.get("Events", {}).values())
    }

    assert {logs[name] for name in requests} == {"RequestLog"}
    assert {name: log for name, log in logs.items() if name not in requests} == {
        "Authorize": "AuthorizerLog",
        "AuthorizePull": "AuthorizerLog",
        "AttestImage": "QueueLog",
        "BuildUpload": "QueueLog",
        "CleanUp": "QueueLog",
        "Deliver": "QueueLog",
        "FanOut": "QueueLog",
        "RetryDelivery": "QueueLog",
        "FollowPacks": "QueueLog",
        "MeasureBacklog": "QueueLog",
        "PrepareArtifacts": "QueueLog",
        "RescanPacks": "QueueLog",
        "ScanContent": "QueueLog",
    }


def test_every_log_is_kept_for_as_long_as_the_parameter_says() -> None:
    logs = {name: it["Properties"] for name, it in RESOURCES.items() if it["Type"] == "AWS::Logs::LogGroup"}

    assert set(logs) == {"AccessLog", "AuthorizerLog", "QueueLog", "RequestLog"}
    assert {log["RetentionInDays"] for log in logs.values()} == {"LogRetentionDays"}


def test_the_access_log_holds_nothing_that_a_client_has_worded() -> None:
    # API Gateway fills the format in as text. Quotation marks and backslashes of a user agent have broken such lines
    # (DataBiosphere/azul #4348), and can forge fields. What is listed here is API Gateway's, ours, or of a grammar
    # without them: a known method, an address, the authorizer's checked labels.
    safe = {
        "requestId",
        "requestTime",
        "httpMethod",
        "resourcePath",
        "status",
        "error.responseType",
        "authorizer.org_id",
        "authorizer.principal",
        "responseLength",
        "responseLatency",
        "integrationLatency",
        "identity.sourceIp",
    }
    line = RESOURCES["Api"]["Properties"]["AccessLogSetting"]["Format"]

    assert set(re.findall(r"\$context\.([\w.]+)", line)) <= safe
    assert json.loads(re.sub(r"\$context\.[\w.]+", "x", line))


def test_nothing_is_traced_that_would_show_no_call() -> None:
    # Without an SDK of X-Ray, a trace has the gateway's and the function's time and nothing of AWS's; with one, cold
    # starts are half a second longer (decision 70).
    assert "Tracing" not in TEMPLATE["Globals"]["Function"]
    assert not [name for name, function in FUNCTIONS.items() if "Tracing" in function]
    assert "TracingEnabled" not in RESOURCES["Api"]["Properties"]


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if "Events" in function])
def test_nothing_behind_the_gateway_outlives_its_29_seconds(name: str) -> None:
    # API Gateway quotas, "Integration timeout": 29 s by default. A cold start counts to them, and to no function's
    # Timeout (Lambda developer guide, "Execution environment lifecycle"), so three of them are kept for it.
    function = FUNCTIONS[name]
    timeout = function.get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])

    assert timeout <= 29 - 3 or all(event["Type"] != "Api" for event in function["Events"].values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_time_for_one_attempt_at_an_aws_call_and_more(name: str) -> None:
    timeout = FUNCTIONS[name].get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])

    assert timeout > COMMIT_SECONDS + 3


def test_every_function_that_calls_a_service_knows_when_its_invocation_ends() -> None:
    silent = {
        path.parent.name for path in PROJECT.glob("functions/*/app.py") if "bootstrap" not in path.read_text()
    }
    told = {
        path.parent.name
        for path in PROJECT.glob("functions/*/app.py")
        if "bootstrap.invocation_begins" in path.read_text()
    }

    assert silent == {"api_docs", "console", "ping_door", "scan_content"}
    assert silent | told == {path.parent.name for path in PROJECT.glob("functions/*/app.py")}


def test_a_message_stays_hidden_for_six_times_the_consumer_s_time() -> None:
    # "Using Lambda with Amazon SQS": at least six times the function's timeout.
    assert RESOURCES["CleanupQueue"]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS["CleanUp"]["Timeout"]


def test_dead_letters_are_kept_longer_than_the_queue_keeps_messages() -> None:
    # The age of a message counts from its first enqueueing, dead-lettering does not renew it.
    queue, dead_letters = (RESOURCES[name]["Properties"] for name in ("CleanupQueue", "CleanupDeadLetters"))

    assert dead_letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_the_gateway_has_an_answer_of_ours_for_everything_it_can_refuse() -> None:
    assert set(RESPONSES) == RESPONSE_TYPES


@pytest.mark.parametrize("kind", RESPONSES)
def test_the_gateway_s_answers_wear_the_contract_s_envelope(kind: str) -> None:
    response = RESPONSES[kind]
    headers = response["ResponseParameters"]["Headers"]
    (media_type, body), *others = response["ResponseTemplates"].items()
    envelope = json.loads(body)

    assert not others
    assert media_type == "application/json"
    assert set(envelope) == {"error"}
    assert set(envelope["error"]) == {"code", "message", "request_id"}
    assert envelope["error"]["request_id"] == "$context.requestId"
    assert headers["X-Request-Id"] == "context.requestId"
    assert response["StatusCode"] == STATUS_OF_CODE[envelope["error"]["code"]]
    assert ("Retry-After" in headers) == (response["StatusCode"] == 429)
    assert ("WWW-Authenticate" in headers) == (response["StatusCode"] == 401)


@pytest.mark.parametrize("kind", [kind for kind in RESPONSES if RESPONSES[kind]["StatusCode"] == 401])
def test_the_gateway_asks_for_a_credential_in_the_words_of_the_service(kind: str) -> None:
    (body,) = RESPONSES[kind]["ResponseTemplates"].values()

    assert json.loads(body)["error"]["message"] == Unauthenticated().message


def test_the_document_s_example_of_a_throttled_request_is_what_the_gateway_answers() -> None:
    (body,) = RESPONSES["THROTTLED"]["ResponseTemplates"].values()

    assert json.loads(body)["error"]["message"] == REFUSALS["rate_limited"]["error"]["message"]


@pytest.mark.parametrize("kind", RESPONSES)
def test_the_gateway_does_not_say_what_a_permission_set_allows(kind: str) -> None:
    # Operations decide that, and the code says which sets there are.
    (body,) = RESPONSES[kind]["ResponseTemplates"].values()

    assert not [name for name in PermissionSet if name in body]


@pytest.mark.parametrize("kind", ["AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"])
def test_a_credential_that_cannot_be_checked_now_is_not_called_wrong(kind: str) -> None:
    # API Gateway makes one of these of an authorizer that raises anything but "Unauthorized".
    assert RESPONSES[kind]["StatusCode"] == 503


def test_whatever_its_type_a_body_is_passed_on_as_bytes() -> None:
    assert RESOURCES["Api"]["Properties"]["BinaryMediaTypes"] == ["*/*"]


def test_whatever_is_put_into_the_bucket_is_forgotten_some_day() -> None:
    rules = RESOURCES["StagingBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules} == {
        "inline/": 1,
        "uploads/": 1,
        "files/": 1,
        "locks/": 30,
        "catalogues/": 30,
        "bundles/": 7,
        "indexes/": 30,
    }


def test_a_revoked_key_stops_working_at_once_unless_the_deployment_trades_that_for_speed() -> None:
    authorizer = RESOURCES["Api"]["Properties"]["Auth"]["Authorizers"]["KeyOrToken"]

    assert authorizer["Identity"]["ReauthorizeEvery"] == "AuthorizerCacheSeconds"
    assert TEMPLATE["Parameters"]["AuthorizerCacheSeconds"]["Default"] == 0


def test_removing_the_stack_keeps_the_table() -> None:
    assert RESOURCES["Table"]["DeletionPolicy"] == RESOURCES["Table"]["UpdateReplacePolicy"] == "Retain"


def test_what_fails_is_tried_for_hours_before_it_is_given_up() -> None:
    attempts = RESOURCES["CleanupQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    hours = sum(retry_wait_seconds(attempt) for attempt in range(1, attempts + 1)) / 3600

    # From Friday evening to Sunday evening.
    assert 48 <= hours < 60
    # SQS drops a message at the end of its retention and makes no dead letter of it. The longest hold before a message
    # is due is that of a staged archive, less than three hours; half of the retention is left over for others.
    assert (hours + 3) * 3600 < RESOURCES["CleanupQueue"]["Properties"]["MessageRetentionPeriod"] / 2


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name in QUEUE_OF])
def test_no_function_but_the_builder_sends_to_the_queue_that_invokes_it(name: str) -> None:
    """Lambda developer guide, "Recursive loop detection": such a function is stopped after about 16 rounds.

    The builder sends archives again that wait for their turn, for as long as they are kept (decision 113).
    """
    sends = [
        resource
        for statement in _statements(FUNCTIONS[name])
        if "sqs:SendMessage" in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]

    assert (f"{QUEUE_OF[name]}.Arn" in sends) == (name == "BuildUpload")
    assert FUNCTIONS[name].get("RecursiveLoop") == ("Allow" if name == "BuildUpload" else None)


def test_the_builder_writes_nothing_that_s3_tells_the_build_queue_of() -> None:
    (notification,) = RESOURCES["StagingBucket"]["Properties"]["NotificationConfiguration"][
        "QueueConfigurations"
    ]
    (rule,) = notification["Filter"]["S3Key"]["Rules"]
    written = [
        resource
        for statement in _statements(FUNCTIONS["BuildUpload"])
        if "s3:PutObject" in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]

    assert written
    assert not [resource for resource in written if f"/{rule['Value']}" in resource]


@pytest.mark.parametrize("name", ["CleanUp", "DeletePack"])
def test_an_invocation_that_empties_a_repository_ends_well_before_its_hold_expires(name: str) -> None:
    assert PURGE_LEASE.total_seconds() >= 2 * FUNCTIONS[name]["Timeout"]


@pytest.mark.parametrize("name", [name for name in RESOURCES if name.endswith("Alarm")])
def test_every_alarm_has_its_page_and_is_heard_by_whom_the_parameter_names(name: str) -> None:
    alarm = RESOURCES[name]["Properties"]

    assert f"`{name}`" in _source("docs/operating.md")
    assert "docs/operating.md" in alarm["AlarmDescription"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == ["HasAlarmTopic", ["AlarmTopicArn"], "AWS::NoValue"]
    assert alarm["TreatMissingData"] == "notBreaching"


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that an alarm reads: its own, or those of its expression."""
    if "MetricName" in alarm:
        return [alarm]
    return [metric["MetricStat"]["Metric"] for metric in alarm["Metrics"] if "MetricStat" in metric]


ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
OURS = "Packyard/${AWS::StackName}"


def test_no_alarm_watches_what_sqs_leaves_stuck_messages_out_of() -> None:
    """SQS developer guide, "Available CloudWatch metrics", on messages that were received three times or more."""
    watched = {metric["MetricName"] for alarm in ALARMS.values() for metric in _metrics(alarm)}

    assert "ApproximateAgeOfOldestMessage" not in watched


@pytest.mark.parametrize(
    ("namespace", "metric"),
    [
        (OURS, "OldestDeletionSeconds"),
        (OURS, "OverdueCleanupSeconds"),
        (OURS, "AuthorizerFailures"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "ClaimedAccountConcurrency"),
        ("AWS/Lambda", "Errors"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
        ("AWS/ApiGateway", "5XXError"),
    ],
)
def test_somebody_watches(namespace: str, metric: str) -> None:
    watched = [
        (found["Namespace"], found["MetricName"]) for alarm in ALARMS.values() for found in _metrics(alarm)
    ]

    assert (namespace, metric) in watched


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("OldestDeletionSeconds", "operations/backlog.py"),
        ("OverdueCleanupSeconds", "operations/clean_up.py"),
        ("AuthorizerFailures", "http/authorizer.py"),
    ],
)
def test_a_figure_that_an_alarm_watches_is_written_under_that_name(name: str, source: str) -> None:
    assert f'"{name}"' in _source(f"layers/packyard/python/packyard/{source}")
    assert VARIABLES["POWERTOOLS_METRICS_NAMESPACE"] == OURS
    (alarm,) = [alarm for alarm in ALARMS.values() if alarm.get("MetricName") == name]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": VARIABLES["POWERTOOLS_SERVICE_NAME"]}]


def test_attempts_that_are_an_hour_apart_keep_the_alarm_on_overdue_cleanups_ringing() -> None:
    alarm = ALARMS["StuckCleanupAlarm"]

    assert alarm["Period"] >= max(retry_wait_seconds(attempt) for attempt in range(1, 61))
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (2, 1)


@pytest.mark.parametrize(
    ("errors", "requests", "rings"),
    [
        pytest.param(0, 0, False, id="nobody_asks"),
        pytest.param(4, 4, False, id="too_few_to_tell"),
        pytest.param(5, 6, True, id="a_quiet_stage_that_fails"),
        pytest.param(10, 10_000, False, id="one_in_a_thousand"),
        pytest.param(501, 10_000, True, id="more_than_one_in_twenty"),
    ],
)
@pytest.mark.parametrize("name", ["ServerErrorsAlarm", "DoorErrorsAlarm"])
def test_the_share_of_5xx_rings_from_five_in_a_hundred(
    name: str, errors: int, requests: int, rings: bool
) -> None:
    alarm = ALARMS[name]
    condition, share, otherwise = alarm["Metrics"][0]["Expression"].removeprefix("IF(")[:-1].split(", ")
    figures = {"errors": errors, "requests": requests}

    value = eval(share if eval(condition, figures) else otherwise, figures)  # noqa: S307 - of our own template

    assert (value > alarm["Threshold"]) == rings


def test_each_api_has_an_alarm_on_its_own_stage() -> None:
    watched = {
        tuple(
            dimension["Value"].replace("${AWS::StackName}", "AWS::StackName")
            for dimension in metric["Dimensions"]
        )
        for name in ("ServerErrorsAlarm", "DoorErrorsAlarm")
        for metric in _metrics(ALARMS[name])
    }
    apis = [api["Properties"] for api in RESOURCES.values() if api["Type"] == "AWS::Serverless::Api"]

    assert watched == {
        (api["Name"].replace("${AWS::StackName}", "AWS::StackName"), api["StageName"]) for api in apis
    }


def test_the_dashboard_is_json_and_shows_every_alarm() -> None:
    body = json.loads(DASHBOARD)
    (alarms,) = [widget for widget in body["widgets"] if widget["type"] == "alarm"]

    assert set(alarms["properties"]["alarms"]) == {f"${{{name}.Arn}}" for name in ALARMS}


def test_the_dashboard_s_widgets_lie_side_by_side_on_its_24_columns() -> None:
    widgets = json.loads(DASHBOARD)["widgets"]
    taken = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_the_dashboard_names_our_figures_as_the_code_does() -> None:
    body = DASHBOARD
    code = "".join(path.read_text() for path in (PROJECT / "layers/packyard/python/packyard").rglob("*.py"))

    shown = set(re.findall(r"SELECT SUM\((\w+)\) FROM SCHEMA\(\\\"Packyard", body))
    shown |= set(re.findall(r'"Packyard/\$\{AWS::StackName\}", "(\w+)"', body))

    assert shown == {"Refusals", "PackRevisions", "ImageBytes", "BuildSeconds", "OldestDeletionSeconds"}
    assert not [name for name in shown if f'"{name}"' not in code]


def test_lambda_drops_no_line_that_states_no_level() -> None:
    """Lambda developer guide, "Log-level filtering": such a line counts as INFO, and our figures are such lines."""
    level = TEMPLATE["Globals"]["Function"]["LoggingConfig"]["ApplicationLogLevel"]

    assert level == ["LogsDebug", "DEBUG", "INFO"]


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [
        ("packs", True),
        ("group/project", True),
        ("group/sub.group/my_project-1", True),
        ("0wner", True),
        ("", False),
        ("Packs", False),
        ("packs/", False),
        ("/packs", False),
        ("a//b", False),
        ("a/../b", False),
        ("a:b", False),
    ],
)
def test_repositories_may_lie_below_whatever_a_registry_calls_a_project(prefix: str, allowed: bool) -> None:
    """distribution-spec, "Pulling manifests": the grammar of `<name>`."""
    pattern = template()["Parameters"]["RepositoryPrefix"]["AllowedPattern"]

    assert (re.fullmatch(pattern, prefix) is not None) == allowed


def test_only_the_function_that_gives_out_logins_at_ecr_takes_the_role_for_them() -> None:
    taking = {
        name: resource["Properties"]
        for name, resource in RESOURCES.items()
        if resource["Type"] == "AWS::IAM::Policy"
        or "sts:AssumeRole" in json.dumps(resource.get("Properties", {}))
    }
    trust = RESOURCES["RegistryPullRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (permission,) = RESOURCES["AssumeRegistryPullRole"]["Properties"]["PolicyDocument"]["Statement"]

    assert set(taking) == {"ApiGatewayLoggingRole", "AssumeRegistryPullRole", "RegistryPullRole"}
    assert [statement["Principal"] for statement in trust] == [{"AWS": "IssuePullTokenRole.Arn"}]
    assert RESOURCES["AssumeRegistryPullRole"]["Properties"]["Roles"] == ["IssuePullTokenRole"]
    assert (permission["Action"], permission["Resource"]) == ("sts:AssumeRole", "RegistryPullRole.Arn")


def test_that_role_may_do_what_the_policies_of_its_sessions_allow_and_only_in_our_repositories() -> None:
    (policy,) = RESOURCES["RegistryPullRole"]["Properties"]["Policies"]
    of_session = json.loads(session_policy([], partition="aws"))["Statement"]
    sign_in, pull = policy["PolicyDocument"]["Statement"]

    assert "ManagedPolicyArns" not in RESOURCES["RegistryPullRole"]["Properties"]
    assert [sign_in["Action"], pull["Action"]] == [statement["Action"] for statement in of_session]
    assert pull["Resource"].endswith(":repository/${RepositoryPrefix}/*")


def test_the_page_may_send_archives_to_the_bucket_and_read_from_it_without_credentials() -> None:
    (rule,) = RESOURCES["StagingBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]

    assert sorted(rule["AllowedMethods"]) == ["GET", "POST"]
    # With any origin S3 says "*", and then browsers send no cookies and no other credentials of theirs.
    assert rule["AllowedOrigins"] == ["*"]


def test_the_page_has_no_rights() -> None:
    assert FUNCTIONS["Console"]["Policies"] == []
    assert all(
        event["Properties"]["Auth"] == {"Authorizer": "NONE"}
        for event in FUNCTIONS["Console"]["Events"].values()
    )
