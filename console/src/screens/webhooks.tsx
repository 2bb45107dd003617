import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { Command } from "../parts/command.tsx";
import { Secret } from "../parts/secret.tsx";
import { WebhookForm } from "../parts/webhook/form.tsx";
import { WebhookStateBadge } from "../parts/webhook/state.tsx";
import { useOnce } from "../parts/once.ts";
import { go, link, type Route } from "../router.ts";
import { Button, Empty, ErrorNotice, Loading, Page, Table, Time, useLoad } from "../ui/index.ts";

type Webhook = Schemas["Webhook"];
type Made = Schemas["WebhookWithSecret"];

export default function Webhooks({ route }: { route: Route }) {
  const making = route.query.has("new");
  const [made, setMade] = useState<Made>();
  const once = useOnce();
  const { data, error, reload } = useLoad((signal) => call("get", "/webhooks", { signal }), []);
  return (
    <Page
      title="Webhooks"
      beside={!making && <Button kind="primary" onClick={() => go(["webhooks"], { new: "1" })}>Make a webhook</Button>}
    >
      <p class="muted">Events are sent to your own service, signed as Standard Webhooks 1.0 says.</p>
      {made && (
        <Secret title="The secret of the webhook" what="the secret" text={made.secret} onDone={() => setMade(undefined)}>
          <p>
            Your service verifies signatures with it. Then <a href={link(["webhooks", made.id])}>send a test</a> to{" "}
            <code>{made.url}</code>.
          </p>
        </Secret>
      )}
      {making && (
        <section class="card">
          <h2>A new webhook</h2>
          <WebhookForm
            act="Make the webhook"
            leave={link(["webhooks"])}
            save={async (body) => {
              const { body: webhook } = await call("post", "/webhooks", { body, headers: once.headers(body) });
              once.done();
              setMade(webhook);
              go(["webhooks"]);
              reload();
            }}
          />
        </section>
      )}
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data && (data.body.webhooks.length > 0 ? <WebhookTable webhooks={data.body.webhooks} /> : <NoWebhooks />)}
    </Page>
  );
}

function WebhookTable({ webhooks }: { webhooks: readonly Webhook[] }) {
  return (
    <Table
      caption="Webhooks"
      rows={webhooks}
      rowKey={(webhook) => webhook.id}
      columns={[
        {
          title: "Sends to",
          names: true,
          cell: (webhook) => (
            <>
              <a href={link(["webhooks", webhook.id])}>{webhook.url}</a>
              {webhook.description && <p class="muted">{webhook.description}</p>}
            </>
          ),
        },
        { title: "State", cell: (webhook) => <WebhookStateBadge webhook={webhook} /> },
        { title: "Types", cell: (webhook) => (webhook.types.length === 0 ? "all" : webhook.types.join(", ")) },
        { title: "Made", cell: (webhook) => <><Time at={webhook.created_at} /> by <code>{webhook.created_by}</code></> },
      ]}
    />
  );
}

function NoWebhooks() {
  return (
    <Empty title="No webhooks yet.">
      <p><a href={link(["webhooks"], { new: "1" })}>Make one</a>, or from a terminal:</p>
      <Command text="packyard webhooks add https://example.com/packyard" />
    </Empty>
  );
}
