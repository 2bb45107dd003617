import { useEffect, useState } from "preact/hooks";
import { call, type Schemas } from "../../api.ts";
import { Badge, Button, Empty, ErrorNotice, Notice, Table, Time, type Tone, usePages } from "../../ui/index.ts";
import { useAction } from "../action.ts";
import { Listed } from "../listed.tsx";
import { pageQuery } from "../lists.ts";
import { newKey } from "../once.ts";

type Delivery = Schemas["Delivery"];

const TONES: Readonly<Record<Delivery["status"], Tone>> = {
  delivered: "good",
  retrying: "warning",
  failed: "danger",
  dropped: "neutral",
};
const ERRORS: Readonly<Record<Schemas["DeliveryError"], string>> = {
  unreachable: "not reached",
  tls: "its certificate is not good",
  no_answer: "no answer in time",
  redirect: "it redirected, which counts as a failure",
  status: "",
};

const LOOKS_MS = [1_000, 3_000, 8_000];

/** What came of the deliveries to a webhook in the last seven days. */
export function Deliveries({ webhookId }: { webhookId: string }) {
  const [sent, setSent] = useState<string>();
  const action = useAction();
  const deliveries = usePages(
    async (cursor, signal) => {
      const { body } = await call("get", "/webhooks/{webhook_id}/deliveries", {
        params: { webhook_id: webhookId },
        query: pageQuery(cursor, 50),
        signal,
      });
      return { items: body.deliveries, next: body.next_cursor };
    },
    [webhookId],
  );
  const { reload } = deliveries;
  useEffect(() => {
    if (sent === undefined) return;
    // What comes of it is known a moment later.
    const looks = LOOKS_MS.map((wait) => setTimeout(reload, wait));
    return () => looks.forEach(clearTimeout);
  }, [sent]);
  const send = (work: () => Promise<{ delivery_id: string }>) =>
    void action.run(async () => {
      setSent((await work()).delivery_id);
    });
  const once = (): Record<string, string> => ({ "Idempotency-Key": newKey() });
  const test = () =>
    send(async () => {
      const asked = { params: { webhook_id: webhookId }, headers: once() };
      return (await call("post", "/webhooks/{webhook_id}/test", asked)).body;
    });
  const again = (delivery: Delivery) =>
    send(async () => {
      const asked = { params: { webhook_id: webhookId, delivery_id: delivery.id }, headers: once() };
      return (await call("post", "/webhooks/{webhook_id}/deliveries/{delivery_id}/redelivery", asked)).body;
    });
  return (
    <div class="stack">
      <div class="row ends">
        <h2>Deliveries</h2>
        <span class="row">
          <Button busy={action.busy} onClick={test}>Send a test</Button>
          <Button busy={deliveries.loading} onClick={deliveries.reload}>Look again</Button>
        </span>
      </div>
      {action.error !== undefined && <ErrorNotice error={action.error} />}
      {sent !== undefined && (
        <Notice tone="success" title="It is on its way.">
          <p>What comes of <code>{sent}</code> is in this list a moment later.</p>
        </Notice>
      )}
      <Listed
        pages={deliveries}
        empty={<Empty title="No deliveries in the last seven days."><p>Send a test to see whether your service takes it.</p></Empty>}
      >
        {(items) => (
          <Table
            caption="Deliveries"
            rows={items}
            rowKey={(delivery) => delivery.id}
            columns={[
              { title: "Event", names: true, cell: (delivery) => <><code>{delivery.type}</code> <span class="muted small-text">{delivery.id}</span></> },
              { title: "Came of it", cell: (delivery) => <Outcome delivery={delivery} /> },
              { title: "Tries", cell: (delivery) => delivery.attempts },
              { title: "Last try", cell: (delivery) => <Time at={delivery.last_at} /> },
              {
                title: "Actions",
                acts: true,
                cell: (delivery) => (
                  <Button busy={action.busy} aria-label={`Send again: ${delivery.type} ${delivery.id}`} onClick={() => again(delivery)}>
                    Send again
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Listed>
    </div>
  );
}

function Outcome({ delivery }: { delivery: Delivery }) {
  const answer = delivery.response_status === undefined ? delivery.error && ERRORS[delivery.error] : `answer ${delivery.response_status}`;
  return (
    <>
      <Badge tone={TONES[delivery.status]}>{delivery.status}</Badge> {answer}
      {delivery.next_at && <p class="small-text">Next try <Time at={delivery.next_at} /></p>}
    </>
  );
}
