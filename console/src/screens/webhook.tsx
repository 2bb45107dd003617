import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { useAction } from "../parts/action.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useOnce } from "../parts/once.ts";
import { usePackNames } from "../parts/pack_names.ts";
import { Secret } from "../parts/secret.tsx";
import { Deliveries } from "../parts/webhook/deliveries.tsx";
import { WebhookForm } from "../parts/webhook/form.tsx";
import { WebhookStateBadge } from "../parts/webhook/state.tsx";
import { go, link, replace, type Route } from "../router.ts";
import { Button, Copy, ErrorNotice, Loading, Page, Time, useLoad } from "../ui/index.ts";

type Webhook = Schemas["Webhook"];
interface Read {
  webhook: Webhook;
  etag: string | undefined;
}

export default function WebhookScreen({ route }: { route: Route }) {
  const id = route.path[1] ?? "";
  const changing = route.path[2] === "change";
  const { data, error, reload, change } = useLoad<Read>(async (signal) => {
    const { body, etag } = await call("get", "/webhooks/{webhook_id}", { params: { webhook_id: id }, signal });
    return { webhook: body, etag };
  }, [id]);
  return (
    <Page title="Webhook">
      <p><a href={link(["webhooks"])}>All webhooks</a></p>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data && !changing && <About read={data} onChange={change} />}
      {data && changing && (
        <WebhookForm
          webhook={data.webhook}
          act="Save"
          leave={link(["webhooks", id])}
          save={async (body) => {
            change(await changed(data, body));
            go(["webhooks", id]);
          }}
        />
      )}
      {data && !changing && <Deliveries webhookId={id} />}
    </Page>
  );
}

async function changed({ webhook, etag }: Read, body: Schemas["WebhookChange"]): Promise<Read> {
  const answer = await call("patch", "/webhooks/{webhook_id}", {
    params: { webhook_id: webhook.id },
    headers: etag === undefined ? {} : { "If-Match": etag },
    body,
  });
  return { webhook: answer.body, etag: answer.etag };
}

function About({ read, onChange }: { read: Read; onChange: (read: Read) => void }) {
  const { webhook } = read;
  const names = usePackNames(webhook.pack_ids ?? []);
  const [secret, setSecret] = useState<string>();
  const action = useAction();
  const active = webhook.state === "active";
  const toggle = () =>
    void action.run(async () => onChange(await changed(read, { state: active ? "disabled" : "active" })));
  return (
    <>
      <dl class="facts">
        <dt>Sends to</dt>
        <dd><code>{webhook.url}</code></dd>
        <dt>State</dt>
        <dd><WebhookStateBadge webhook={webhook} /></dd>
        {webhook.description && <><dt>Description</dt><dd>{webhook.description}</dd></>}
        <dt>Types</dt>
        <dd>{webhook.types.length === 0 ? "all" : webhook.types.join(", ")}</dd>
        <dt>Packs</dt>
        <dd>{webhook.pack_ids?.length ? webhook.pack_ids.map((pack) => names.get(pack) ?? pack).join(", ") : "all"}</dd>
        <dt>Made</dt>
        <dd><Time at={webhook.created_at} /> by <code>{webhook.created_by}</code></dd>
        <dt>Id</dt>
        <dd><code>{webhook.id}</code> <Copy text={webhook.id} what="the webhook’s id" /></dd>
      </dl>
      <div class="row">
        <a class="button" href={link(["webhooks", webhook.id, "change"])}>Change</a>
        <Button busy={action.busy} onClick={toggle}>{active ? "Disable" : "Enable"}</Button>
        <Rotate read={read} onChange={onChange} onSecret={setSecret} />
        <Remove read={read} />
      </div>
      {action.error !== undefined && <ErrorNotice error={action.error} />}
      {secret !== undefined && (
        <Secret title="The new secret" what="the secret" text={secret} onDone={() => setSecret(undefined)} />
      )}
    </>
  );
}

interface RotateProps {
  read: Read;
  onChange: (read: Read) => void;
  onSecret: (secret: string) => void;
}

function Rotate({ read, onChange, onSecret }: RotateProps) {
  const [asking, setAsking] = useState(false);
  const once = useOnce();
  const rotate = async () => {
    const { body, etag } = await call("post", "/webhooks/{webhook_id}/rotate", {
      params: { webhook_id: read.webhook.id },
      headers: { ...once.headers("rotate"), ...(read.etag === undefined ? {} : { "If-Match": read.etag }) },
    });
    once.done();
    const { secret: made, ...webhook } = body;
    onSecret(made);
    onChange({ webhook, etag });
  };
  return (
    <>
      <Button onClick={() => setAsking(true)}>New secret</Button>
      {asking && (
        <Confirm title="Give this webhook a new secret?" act="Make a new secret" onConfirm={rotate} onClose={() => setAsking(false)}>
          <p>The present one signs for 24 hours more, beside the new one.</p>
        </Confirm>
      )}
    </>
  );
}

function Remove({ read }: { read: Read }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button kind="danger" onClick={() => setAsking(true)}>Delete</Button>
      {asking && (
        <Confirm
          title="Delete this webhook?"
          act="Delete webhook"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await call("delete", "/webhooks/{webhook_id}", {
              params: { webhook_id: read.webhook.id },
              headers: read.etag === undefined ? {} : { "If-Match": read.etag },
            });
            replace(["webhooks"]);
          }}
        >
          <p>What is on its way to <code>{read.webhook.url}</code> is not sent any more.</p>
        </Confirm>
      )}
    </>
  );
}
