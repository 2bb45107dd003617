import type { Schemas } from "../../api.ts";
import { Badge, Time } from "../../ui/index.ts";

const WHY: Readonly<Record<Schemas["DisabledBecause"], string>> = {
  asked: "somebody disabled it",
  failing: "every delivery failed for days",
  gone: "the receiver said that it is gone",
};

/** Whether a webhook sends, and if not, why. */
export function WebhookStateBadge({ webhook }: { webhook: Schemas["Webhook"] }) {
  if (webhook.state === "disabled") {
    return (
      <>
        <Badge tone="danger">disabled</Badge>
        {webhook.disabled_because && <> {WHY[webhook.disabled_because]}</>}
        {webhook.disabled_at && <>, <Time at={webhook.disabled_at} /></>}
      </>
    );
  }
  if (webhook.failing_since) {
    return <><Badge tone="warning">failing</Badge> since <Time at={webhook.failing_since} /></>;
  }
  return <Badge tone="good">active</Badge>;
}
