"""Publishing an archive as a new pack: validate, build, push, and only then write the row.

The order is what makes a crash harmless (design, section 4). Each announcement precedes what it announces, so from the
moment that something of ours exists outside the table, a message is under way that will remove it again unless a
committed row uses it by then. No step undoes another; whoever loses a race or dies half-way leaves it to that message.

    announce the staged archive → stage it → validate and build on local disk → claim the repository and the name
    → announce the image → push by digest → commit the row → tag → remove the staged archive
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import PackNameTaken, RegistryUnavailable, ServiceUnavailable
from packyard.oci.image import Image, build_image
from packyard.oci.layer import Layer, LayerSpool
from packyard.packs.archive import read_archive
from packyard.packs.limits import ArchiveLimits
from packyard.packs.manifest import Manifest
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Tier, Visibility
from packyard.packs.version import tag_of
from packyard.queue import CleanupQueue, OrphanImage, StagedArchive
from packyard.registry.port import ImageRegistry
from packyard.staging import Staging
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.tenants.caller import Caller
