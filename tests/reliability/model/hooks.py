"""Webhooks, as those see them who make and change them (API contract, section 9)."""

from datetime import timedelta
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected, require
from tests.reliability.model.packs import Webhook
from tests.reliability.model.state import State, require_number

_MOST, _MOST_SECRETS = 20, 5
_OLD_SECRETS_SIGN = timedelta(hours=24)


class Hooks(State):
    """The operations on webhooks."""

    def create_webhook(self, url: str) -> Expected:
        own = self.webhooks.setdefault(self.caller.org, [])
        require(len(own) < _MOST, 409, "quota_exceeded", limit=_MOST)
        made = Webhook(url, self.now, self.caller.actor)
        own.append(made)
        return Expected(201, made.view() | {"secret": ANY}, made.etag)

    def list_webhooks(self) -> Expected:
        own = self.webhooks.get(self.caller.org, [])
        return Expected(200, {"webhooks": [webhook.view() for webhook in own]})

    def get_webhook(self, webhook_id: str) -> Expected:
        webhook = self._webhook(webhook_id, None)
        return Expected(200, webhook.view(), webhook.etag)

    def change_webhook(
        self,
        webhook_id: str,
        if_match: str | None,
        description: str | None = None,
        state: str | None = None,
    ) -> Expected:
        """What changes nothing is no revision."""
        webhook = self._webhook(webhook_id, if_match)
        disabled = webhook.disabled_at
        if state is not None and (state == "disabled") != (disabled is not None):
            disabled = self.now if state == "disabled" else None
        after = description or webhook.description, disabled
        if after != (webhook.description, webhook.disabled_at):
            webhook.description, webhook.disabled_at = after
            webhook.revision += 1
        return Expected(200, webhook.view(), webhook.etag)

    def rotate_secret(self, webhook_id: str, if_match: str | None) -> Expected:
        """The secret before signs for a day more. No more than five sign at once."""
        webhook = self._webhook(webhook_id, if_match)
        signing = [end for end in webhook.old_secrets if end > self.now]
        require(len(signing) + 1 < _MOST_SECRETS, 409, "quota_exceeded", limit=_MOST_SECRETS)
        webhook.old_secrets = [*signing, self.now + _OLD_SECRETS_SIGN]
        webhook.revision += 1
        return Expected(200, webhook.view() | {"secret": ANY}, webhook.etag)

    def delete_webhook(self, webhook_id: str, if_match: str | None) -> Expected:
        webhook = self._webhook(webhook_id, if_match)
        self.webhooks[self.caller.org].remove(webhook)
        return Expected(200, {"status": "deleted"})

    def _webhook(self, webhook_id: str, if_match: str | None) -> Webhook:
        own = self.webhooks.get(self.caller.org, [])
        found = next((webhook for webhook in own if webhook.id == webhook_id), None)
        require(found is not None, 404, "webhook_not_found")
        assert found is not None
        require_number(found.revision, if_match)
        return found
