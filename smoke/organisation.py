"""An organisation for a trial: the operator's commands create it, and the trial removes it completely."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from packyard.store.keys import (
    api_key_key,
    event_key,
    org_key,
    pack_key,
    pack_partition,
    role_revision_key,
    slug_key,
    upload_key,
    usage_key,
    versions_partition,
)
from packyard.store.tenants import TenantStore
from packyard.tenants.api_key import PermissionSet
from packyard.tenants.org import BillingPosture
from packyard_admin.admin import Admin
from packyard_cli.failure import Failure

# A trial takes a minute or two. If it ends without cleaning up, its keys expire after this time.
KEY_LASTS: Final = timedelta(minutes=30)
_LABEL: Final = "make smoke"
# Who acts, for the events.
_OPERATOR: Final = "operator:smoke"


class OrganisationInUse(Exception):
    """Another trial uses the organisation, or a killed trial has left it. The message says what to do."""


@dataclass(kw_only=True)
class Organisation:
    """An organisation of a trial, and what the trial has made in it.

    Attributes:
        admin: The operator's commands for the deployment.
        slug: Its slug. It is the same in each trial, so that one finds what a killed one has left.
        org_id: Its id.
        secret: The secret of its key; empty until there is one.
        created: Whether this trial has begun to create it.
        key_hashes: Of the keys that this trial has made.
        packs: The ids of packs that were made, including those deleted again.
        uploads: The ids of staged uploads.
        roles: The ids of roles that were written.
    """

    admin: Admin
    slug: str
    org_id: str = ""
    secret: str = ""
    created: bool = False
    key_hashes: set[str] = field(default_factory=set)
    packs: set[str] = field(default_factory=set)
    uploads: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)

    def open(self, *, take_over: bool) -> None:
        """Create the organisation and a key, or reuse what a killed trial has left.

        Args:
            take_over: Whether to reuse it even though it has a valid key.

        Raises:
            OrganisationInUse: It has such a key, and another trial may be running.
        """
        tenants = self.admin.tenants
        self.org_id = self._store.find_org(self.slug) or ""
        if self.org_id:
            self._refuse_if_in_use(take_over=take_over)
        if not self._stands():
            # An organisation without a row has no packs: a trial was killed while it removed the last items.
            self.created = True
            self.remove()
            new = tenants.create_org(
                self.slug, billing=BillingPosture.ACTIVE, trial_ends_at=None, platform=False, by=_OPERATOR
            )
            self.org_id = new.org_id
        key, self.secret = tenants.issue_key(
            self.org_id,
            label=_LABEL,
            permission_set=PermissionSet.FULL_ACCESS,
            expires_at=datetime.now(UTC) + KEY_LASTS,
            by=_OPERATOR,
        )
        self.key_hashes.add(key.key_hash)

    def remove(self) -> None:
        """Remove every item of the organisation from the table. Doing it twice does no harm.

        Its packs must have been deleted. This removes what the service keeps of deleted packs. The slug is removed
        last, so that the next trial can continue where a killed one stopped.
        """
        # A trial that was interrupted while it created the organisation does not know its id yet.
        self.org_id = self.org_id or self._store.find_org(self.slug) or ""
        if not self.org_id:
            return
        # The index of keys lags behind, so it may lack this trial's keys.
        hashes = self.key_hashes | {key.key_hash for key in self._store.list_api_keys(self.org_id)}
        partitions = [
            *(api_key_key(key_hash)["PK"] for key_hash in hashes),
            *(pack_partition(pack) for pack in self.packs),
            *(upload_key(upload)["PK"] for upload in self.uploads),
            *(role_revision_key(self.org_id, role, 1)["PK"] for role in self.roles),
            event_key(self.org_id, "")["PK"],
            usage_key(self.org_id)["PK"],
            *(versions_partition(self.org_id, name) for name in self._names()),
            org_key(self.org_id)["PK"],
            slug_key(self.slug)["PK"],
        ]
        for partition in partitions:
            self._remove_partition(partition)
        self.org_id = ""

    def revoke_keys(self) -> None:
        """Revoke every key of this trial."""
        for key_hash in self.key_hashes:
            key = self._store.get_api_key(key_hash)
            if key is not None:
                self._store.revoke_api_key(key, at=datetime.now(UTC), by=_OPERATOR)

    @property
    def _store(self) -> TenantStore:
        return TenantStore(table=self.admin.table, events=self.admin.events)

    def _names(self) -> set[str]:
        """Return the names of the packs that were made. Rows of deleted packs still have them."""
        rows = self.admin.table.get_many([pack_key(pack) for pack in self.packs])
        return {row["name"] for row in rows}

    def _stands(self) -> bool:
        try:
            self.admin.tenants.find_org(self.org_id)
        except Failure:
            return False
        return True

    def _refuse_if_in_use(self, *, take_over: bool) -> None:
        now = datetime.now(UTC)
        keys = self._store.list_api_keys(self.org_id)
        ends = [key.expires_at for key in keys if key.revoked_at is None and key.expires_at is not None]
        if not take_over and any(end > now for end in ends):
            raise OrganisationInUse(
                f"another trial of this deployment is at work (organisation {self.slug}), or one was killed. Wait "
                f"until it has ended, {max(ends):%H:%M} UTC at the latest, or, if it was killed, add ARGS=--take-over"
            )

    def _remove_partition(self, partition: str) -> None:
        dynamodb, table = self.admin.client("dynamodb"), self.admin.deployment.table()
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="PK = :partition",
            ExpressionAttributeValues={":partition": {"S": partition}},
            ProjectionExpression="PK, SK",
            ConsistentRead=True,
        )
        items: list[dict[str, Any]] = [item for page in pages for item in page["Items"]]
        for item in items:
            dynamodb.delete_item(TableName=table, Key=item)
