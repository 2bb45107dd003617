"""The function that scans, as whoever publishes asks it.

It is invoked synchronously, and once: a scan that fails is not worth more of the time of a publish than this. Whatever
goes wrong is one error, after which the publish goes on without a result.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from packyard.aws import figures
from packyard.aws.outages import outages_translated
from packyard.errors import ServiceUnavailable
from packyard.scanning.messages import ScanRequest, parse_answer, request_to_json
from packyard.scanning.report import ScanReport

logger = Logger(child=True)

# An answer has at most a hundred findings.
_MAX_ANSWER_BYTES: Final = 4 << 20


class ScanFailed(Exception):
    """The scanner did not answer, or its answer is no report."""


class ScanFunction:
    """Asks the function that scans.

    Args:
        client: Returns a Lambda client that makes one attempt and waits as long as a scan may take.
        name: The function's name or ARN, with its alias.
    """

    def __init__(self, *, client: Callable[[], Any], name: str) -> None:
        self._client = client
        self._name = name

    def scan(self, request: ScanRequest) -> ScanReport:
        """Return the report about some parts of files. One invocation.

        Raises:
            ScanFailed: The function did not answer in time, was throttled, failed, or answered something else.
        """
        try:
            return self._answered(json.dumps(request_to_json(request), separators=(",", ":")).encode())
        except (ServiceUnavailable, ClientError, KeyError, TypeError, ValueError) as error:
            figures.count("ScansFailed")
            logger.warning("not scanned", exc_info=True)
            raise ScanFailed from error

    def _answered(self, payload: bytes) -> ScanReport:
        with outages_translated():
            answer = self._client().invoke(FunctionName=self._name, Payload=payload)
            body: bytes = answer["Payload"].read(_MAX_ANSWER_BYTES + 1)
        if "FunctionError" in answer or len(body) > _MAX_ANSWER_BYTES:
            raise ValueError("the function failed, or its answer is too large")
        return parse_answer(json.loads(body))
