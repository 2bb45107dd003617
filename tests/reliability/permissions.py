"""What a function needs to be allowed: the calls that it makes, as the actions and resources that IAM knows them by.

Recorded where they leave the process: AWS calls by botocore's own hooks, what a registry is asked for at the wire.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from tests.aws import BUCKET, CURSOR_SECRET, PULL_TOKEN_SECRET, TABLE
from tests.engine.points import Point
from tests.engine.wire import deliver
from tests.reliability.deployment import Deployment
from tests.reliability.transformed import ACCOUNT, FOREIGN_REGISTRY, KMS_KEY, REGION
from tests.service import Service

_OURS: Final = (CURSOR_SECRET, PULL_TOKEN_SECRET)
_UNKNOWN_TO_MOTO: Final = "before-call.ecr.GetDownloadUrlForLayer"
_TABLE: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
_REPOSITORY: Final = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/"
# API_TransactWriteItems: each of its actions takes the permission of the call that does the same.
_IN_TRANSACTIONS: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# What is needed of the KMS key that the data is under, beside the permission itself: S3 user guide, "Using server-side
# encryption with KMS keys"; SQS developer guide, "Key management"; Secrets Manager user guide, "Secret encryption and
# decryption". For the table see `_needs_of_table`.
_OF_KEY: Final = {
    ("s3", "GetObject"): ("Decrypt",),
    ("s3", "HeadObject"): ("Decrypt",),
    ("s3", "PutObject"): ("GenerateDataKey",),
    ("sqs", "ReceiveMessage"): ("Decrypt",),
    ("sqs", "SendMessage"): ("GenerateDataKey", "Decrypt"),
    ("sqs", "SendMessageBatch"): ("GenerateDataKey", "Decrypt"),
    ("secretsmanager", "GetSecretValue"): ("Decrypt",),
}
_EXPRESSIONS: Final = (
    *("UpdateExpression", "ConditionExpression", "ProjectionExpression"),
    *("FilterExpression", "KeyConditionExpression"),
)
# A name that is no value, no function and not below another.
_WORD: Final = re.compile(r"(?<![:.#\w])#?[A-Za-z_]\w*(?!\w|\s*\()")
_RESERVED: Final = frozenset({"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"})
_LEADING: Final = re.compile(r"PK = (:\w+)")
# "Required permissions" of the S3 API Reference, where they have another name than the call.
_OF_S3: Final = {"HeadObject": "GetObject"}
# What ECR asks of whoever speaks the distribution API (ECR user guide, "IAM permissions for pushing", "for pulling").
# An upload in one piece is a part and the end of it. The page on pushing lists BatchGetImage, though nothing is read.
_OF_REQUESTS: Final = {
    ("GET", "manifests"): ["BatchGetImage"],
    ("HEAD", "manifests"): ["BatchGetImage"],
    ("PUT", "manifests"): ["PutImage", "BatchGetImage"],
    ("GET", "blobs"): ["GetDownloadUrlForLayer"],
    ("HEAD", "blobs"): ["BatchCheckLayerAvailability"],
    ("POST", "uploads"): ["InitiateLayerUpload"],
    ("PATCH", "uploads"): ["UploadLayerPart"],
    ("PUT", "uploads"): ["UploadLayerPart", "CompleteLayerUpload"],
}
_REQUEST: Final = re.compile(
    r"(?P<method>[A-Z]+) (?P<repository>.+?)/(?P<what>manifests|blobs(?=/(?!uploads))|blobs/uploads)/(?P<rest>.*)"
)


# What a condition key of IAM stands for in one request: its values, by the key's name.
Context = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, order=True)
class Need:
    """One action on one resource.

    Attributes:
        action: As in a policy: `dynamodb:GetItem`.
        resource: Its ARN, or `*` for an action that knows none.
        context: What AWS fills the condition keys with that our policies use.
    """

    action: str
    resource: str
    context: Context = ()


class Recorded(Service):
    """A service that remembers for which of its functions it is at work; each has a process of its own.

    Attributes:
        begin: Starts a process.
        last: Whose process is running.
    """

    at_work: str = ""
    begin: Callable[[], None]
    last: str = ""

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """See `Service`."""
        if function != self.last:
            self.begin()
        self.at_work = self.last = function
        try:
            answer = super().invoke(function, event)
        finally:
            self.at_work = ""
        return answer


@dataclass
class Recorder:
    """Takes down what each function needs."""

    service: Recorded
    own_registry: str
    needs: dict[str, set[Need]] = field(default_factory=dict)

    def add(self, *needs: Need) -> None:
        """Take something down for the function at work; what tests do themselves is nobody's."""
        if self.service.at_work:
            self.needs.setdefault(self.service.at_work, set()).update(needs)

    def called(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Take a call of the SDK down; also one that is only signed, for somebody else to make."""
        self.add(*_needs(model.service_model.service_name, model.name, params))

    def sent(self, point: Point) -> Any:
        """Take a request to a registry down, and send it on."""
        host = point.service.removesuffix(":443")
        request = _REQUEST.fullmatch(point.label)
        if request is not None and host in (self.own_registry, FOREIGN_REGISTRY):
            self.add(*_needs_of_request(request, _REPOSITORY if host == self.own_registry else _foreign()))
        return point.deliver()


@contextmanager
def recording(deployment: Deployment) -> Iterator[Recorder]:
    """Record what the functions need while the context lasts."""
    whole = deployment.service
    deployment.service = Recorded(**vars(whole))
    deployment.service.begin = deployment.new_process
    recorder = Recorder(deployment.service, urlsplit(whole.registry.url).netloc)
    clients = [
        whole.services.client(name)
        for name in ("dynamodb", "s3", "sqs", "ecr", "secretsmanager", "sts", "kms", "events", "lambda")
    ]
    # Clients that are made for other Regions come from boto3's own session.
    boto3.setup_default_session(aws_access_key_id="testing", aws_secret_access_key="testing")
    session: Any = boto3.DEFAULT_SESSION
    emitters = [session.events, *(client.meta.events for client in clients)]
    for emitter in emitters:
        emitter.register("provide-client-params", recorder.called, unique_id="recorder")
        emitter.register(_UNKNOWN_TO_MOTO, _answer_with_a_url, unique_id="url")
    deployment.wire.tap = recorder.sent
    try:
        yield recorder
    finally:
        deployment.wire.tap = deliver
        whole.services = deployment.service.services
        deployment.service = whole
        boto3.DEFAULT_SESSION = None
        for emitter in emitters:
            emitter.unregister("provide-client-params", unique_id="recorder")
            emitter.unregister(_UNKNOWN_TO_MOTO, unique_id="url")


def _answer_with_a_url(**_: Any) -> tuple[AWSResponse, dict[str, str]]:
    answer = AWSResponse("https://ecr.test", 200, HTTPHeaders(), None)
    return answer, {"downloadUrl": "https://layers.test/a-layer"}


def of_form(fields: Mapping[str, str]) -> set[Need]:
    """Return what the signer of a form needs to be allowed: what the form's holder does, it does in its name."""
    return {Need("s3:PutObject", f"arn:aws:s3:::{BUCKET}/{fields['key']}"), key_use("GenerateDataKey", "s3")}


def key_use(action: str, service: str) -> Need:
    """Return what is needed of the operator's KMS key, which a service uses in the name of its caller."""
    via = ("kms:ViaService", (f"{service}.{REGION}.amazonaws.com",))
    return Need(f"kms:{action}", KMS_KEY, (via,))


def table_need(
    action: str,
    keys: Iterable[str],
    attributes: Iterable[str],
    *,
    table: str = TABLE,
    index: str | None = None,
) -> Need:
    """Return what a call to the table needs.

    Args:
        action: `GetItem`.
        keys: The values of the partition key that it names; those of the index's key where it reads one.
        attributes: The attributes of the first level that it names, keys included.
        table: The table's name.
        index: The global secondary index that it reads.
    """
    context = (
        ("dynamodb:Attributes", tuple(sorted(set(attributes)))),
        ("dynamodb:LeadingKeys", tuple(sorted(set(keys)))),
    )
    return Need(f"dynamodb:{action}", _TABLE + table + (f"/index/{index}" if index else ""), context)


def _needs(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    for action in _OF_KEY.get((service, operation), ()):
        # A form is signed without a key: see `of_form`. The operator's own secrets are under keys of their own.
        if (service != "s3" or "Key" in params) and params.get("SecretId", CURSOR_SECRET) in _OURS:
            yield key_use(action, service)
    if service == "dynamodb":
        yield from _needs_of_table(operation, params)
    elif service == "s3":
        # Without a key, a form is being signed: see `of_form`.
        if "Key" in params:
            resource = f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"
            yield Need(f"s3:{_OF_S3.get(operation, operation)}", resource)
        # Several at once take the permission to delete each ("Actions, resources, and condition keys for Amazon S3").
        for removed in params.get("Delete", {}).get("Objects", ()):
            yield Need("s3:DeleteObject", f"arn:aws:s3:::{params['Bucket']}/{removed['Key']}")
    elif service == "sqs":
        queue = params["QueueUrl"].rpartition("/")[2]
        # "Actions defined by Amazon SQS": a batch takes the permission of its single call.
        yield Need(f"sqs:{operation.removesuffix('Batch')}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
    elif service == "ecr":
        name = params.get("repositoryName")
        yield Need(f"ecr:{operation}", _REPOSITORY + name if name else "*")
    else:
        yield from _OF_SERVICES[service](operation, params)


def _needs_of_keys(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    # KMS developer guide, "Condition keys for AWS KMS".
    context = tuple(
        (f"kms:EncryptionContext:{name}", (value,))
        for name, value in params.get("EncryptionContext", {}).items()
    )
    context += tuple(
        (f"kms:{name}", (params[name],)) for name in ("MessageType", "SigningAlgorithm") if name in params
    )
    yield Need(f"kms:{operation}", params["KeyId"], context)


def _needs_of_bus(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    # Making the bus is the test's own.
    for entry in params.get("Entries", ()):
        bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entry['EventBusName']}"
        yield Need(f"events:{operation}", bus)


def _needs_of_function(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    # "Actions, resources, and condition keys for AWS Lambda": Invoke takes another name.
    assert operation == "Invoke"
    yield Need("lambda:InvokeFunction", params["FunctionName"])


_OF_SERVICES: Final[Mapping[str, Callable[[str, Mapping[str, Any]], Iterator[Need]]]] = {
    "events": _needs_of_bus,
    "kms": _needs_of_keys,
    "lambda": _needs_of_function,
    "secretsmanager": lambda operation, params: iter(
        [Need(f"secretsmanager:{operation}", params["SecretId"])]
    ),
    "sts": lambda operation, params: iter([Need(f"sts:{operation}", params["RoleArn"])]),
}


def _needs_of_table(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    # The table's own key is decrypted for whoever asks, again every five minutes (DynamoDB developer guide, "DynamoDB
    # encryption at rest: How it works").
    yield key_use("Decrypt", "dynamodb")
    if operation == "TransactWriteItems":
        # Each of its actions is authorized by itself (developer guide, "Using IAM with DynamoDB transactions").
        for action in params["TransactItems"]:
            ((kind, details),) = action.items()
            yield _item_need(_IN_TRANSACTIONS[kind], details)
    elif operation == "BatchGetItem":
        for name, asked in params["RequestItems"].items():
            keys = [_text(key["PK"]) for key in asked["Keys"]]
            yield table_need(operation, keys, {"PK", "SK"}, table=name)
    elif operation == "BatchWriteItem":
        for name, writes in params["RequestItems"].items():
            items = [
                write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]
                for write in writes
            ]
            written = {attribute for item in items for attribute in item}
            yield table_need(operation, [_text(item["PK"]) for item in items], written, table=name)
    elif operation == "Query":
        found = _LEADING.search(params["KeyConditionExpression"])
        assert found, "a query names its partition"
        value = _text(params["ExpressionAttributeValues"][found[1]])
        index, attributes = params.get("IndexName"), _attributes(params)
        yield table_need(operation, [value], attributes, table=params["TableName"], index=index)
    else:
        yield _item_need(operation, params)


def _item_need(action: str, details: Mapping[str, Any]) -> Need:
    whole = details.get("Item", details.get("Key"))
    assert whole, f"{action} names no item"
    return table_need(
        action, [_text(whole["PK"])], {*whole, *_attributes(details)}, table=details["TableName"]
    )


def _attributes(details: Mapping[str, Any]) -> Iterator[str]:
    """Yield the attributes of the first level that expressions name; AWS may leave those of conditions out."""
    for expression in _EXPRESSIONS:
        for word in _WORD.findall(details.get(expression, "")):
            if word not in _RESERVED:
                yield details["ExpressionAttributeNames"][word] if word.startswith("#") else word


def _text(value: Any) -> str:
    # As the SDK sends it, or as it is given to one that translates.
    return str(value["S"] if isinstance(value, dict) else value)


def _needs_of_request(request: "re.Match[str]", registry: str) -> Iterator[Need]:
    for action in _OF_REQUESTS[request["method"], request["what"].rpartition("/")[2]]:
        yield Need(f"ecr:{action}", registry + request["repository"])
    source = re.search(r"[?&]from=([^&]+)", request["rest"])
    if source is not None:
        # "Mounting layers": whoever mounts reads where it mounts from.
        yield Need("ecr:GetDownloadUrlForLayer", registry + source[1].replace("%2F", "/"))


def _foreign() -> str:
    account, _, _, region, *_ = FOREIGN_REGISTRY.split(".")
    return f"arn:aws:ecr:{region}:{account}:repository/"
