"""`packyard import`: publishes what others have published, fetched by this machine and not by the service."""

import argparse
import tempfile
from pathlib import Path

from packyard_cli.context import Context, version
from packyard_cli.downloads import Downloads
from packyard_cli.import_sources import parse_source
from packyard_cli.pushing_all import Candidate, push_all
from packyard_cli.result import Result


def import_skills(options: argparse.Namespace, context: Context) -> Result:
    """Fetch skills and publish each as a pack.

    Raises:
        Failure: Nothing can be had.
    """
    source = parse_source(options.source, context.environment)
    service = context.service()
    downloads = Downloads(transport=context.transport(), user_agent=f"packyard/{version()}")
    with tempfile.TemporaryDirectory(prefix="packyard-import-") as folder:
        context.printer.note(f"Fetching {options.source}")
        found = list(source.fetch(downloads, Path(folder)))
        candidates = [
            Candidate(source=each.source, folder=each.folder, failure=each.failure, origin=each.origin)
            for each in found
        ]
        return push_all(candidates, options, context, service)
