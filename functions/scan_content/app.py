"""Invoked by the functions that publish: scans the content that they send, and nothing else."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.operations.scan_content import make_scanner, scan_content

logger = Logger()
# While it starts, a function has more processor than its memory buys it later. So the rules are compiled then.
scanner = make_scanner()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return the report about an event's files."""
    return scan_content(event, scanner=scanner)
