import { useEffect, useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { Command } from "../parts/command.tsx";
import { counted } from "../parts/lists.ts";
import { OrganisationUsage } from "../parts/operator/organisation.tsx";
import { go, link, type Route } from "../router.ts";
import { useSession } from "../session.ts";
import { Badge, Button, CopyLine, Empty, ErrorNotice, Field, Loading, Page, Table, Time, useLoad } from "../ui/index.ts";

type Deletion = Schemas["PendingDeletion"];
type Queue = Schemas["DeadLetterQueue"];

/** The alarm on stuck deletions waits for as long (`StuckDeletionAlarm`). */
const STUCK_AFTER_MS = 2 * 60 * 60 * 1000;
const MOST = 100;

export default function Operator({ route }: { route: Route }) {
  const { session } = useSession();
  return session?.operates ? <View org={route.query.get("org") ?? ""} /> : <NotTheOperator />;
}

function NotTheOperator() {
  return (
    <Page title="Operator">
      <Empty title="This screen is for whoever runs this service.">
        <p>It shows what is stuck and what was given up, of all organisations. It needs an operator’s key, which only this command makes:</p>
        <Command text="packyard admin --stack STACK key issue ORG --label NAME --permission-set read_only --operate" />
      </Empty>
    </Page>
  );
}

function View({ org }: { org: string }) {
  // All is shown at once, so that what comes later does not move what is being read.
  const [round, setRound] = useState(0);
  const { data, error, loading } = useLoad(readState, [round]);
  const again = () => setRound(round + 1);
  return (
    <Page title="Operator" beside={<Button busy={loading} onClick={again}>Look again</Button>}>
      <p class="muted">
        What is stuck, of all organisations. This page changes none of it: the commands do, on your machine, with your AWS
        credentials. Put the name of this deployment’s stack in the place of <code>STACK</code>.
      </p>
      {error !== undefined && <ErrorNotice error={error} onRetry={again} />}
      {data === undefined && error === undefined && <Loading />}
      {data && (
        <>
          <Deletions deletions={data.deletions} more={data.more} />
          <DeadLetters queues={data.queues} />
          <Organisation org={org} round={round} />
        </>
      )}
    </Page>
  );
}

async function readState(signal: AbortSignal) {
  // One function answers both, and is rarely asked: two at once would wait for two of it to start.
  const waiting = await call("get", "/operator/deletions", { query: { limit: MOST }, signal });
  const letters = await call("get", "/operator/dead-letters", { signal });
  const { deletions, next_cursor } = waiting.body;
  return { deletions, more: next_cursor !== undefined, queues: letters.body.queues };
}

function Deletions({ deletions, more }: { deletions: readonly Deletion[]; more: boolean }) {
  return (
    <section class="stack">
      <h2>Deletions that wait</h2>
      {deletions.length === 0 ? (
        <Empty title="No deletion waits.">
          <p>
            A pack stays here while the registry does not let go of its images. It is retried by itself, for two days, and{" "}
            <code>StuckDeletionAlarm</code> fires after two hours.
          </p>
        </Empty>
      ) : (
        <>
          <p>
            They are retried by themselves. The log of <code>CleanUp</code> says why one fails: search it for the pack’s id.
            When the cause is gone, the command retries at once.
          </p>
          {more && <p>The {MOST} that have waited longest are shown. There are more.</p>}
          <Table
            caption="Deletions that wait"
            rows={deletions}
            rowKey={(deletion) => deletion.pack_id}
            columns={[
              { title: "Pack", names: true, cell: (deletion) => deletion.name },
              { title: "Organisation", cell: (deletion) => <OrgLink id={deletion.org_id} slug={deletion.org_slug} /> },
              { title: "Asked", cell: (deletion) => <><Time at={deletion.asked_at} /> <Waiting since={deletion.asked_at} /></> },
              {
                title: "Retry",
                cell: (deletion) => (
                  <CopyLine
                    text={`packyard admin --stack STACK deletion retry ${deletion.pack_id}`}
                    what={`the command that retries ${deletion.name}`}
                  />
                ),
              },
            ]}
          />
        </>
      )}
    </section>
  );
}

function Waiting({ since }: { since: string }) {
  return Date.now() - Date.parse(since) > STUCK_AFTER_MS ? <Badge tone="danger">stuck</Badge> : <Badge>being retried</Badge>;
}

function OrgLink({ id, slug }: { id: string; slug: string | undefined }) {
  return <a href={link(["operator"], { org: slug ?? id })}>{slug ?? id}</a>;
}

function DeadLetters({ queues }: { queues: readonly Queue[] }) {
  const some = queues.filter((queue) => queue.count > 0);
  const none = queues.filter((queue) => queue.count === 0).map((queue) => queue.name);
  return (
    <section class="stack">
      <h2>Messages that were given up</h2>
      {some.length === 0 ? (
        <Empty title="Nothing was given up.">
          <p>
            A message that fails for hours or days is put aside here, and an alarm of its queue fires. It is deleted 14 days after it was sent. The
            queues: {none.join(", ")}.
          </p>
        </Empty>
      ) : (
        <>
          <p>
            Their functions’ logs say why they failed. When the cause is gone, the command sends up to 1,000 back to their
            queue: a message that is settled twice does no harm.
          </p>
          {some.map((queue) => <DeadLetterQueue key={queue.name} queue={queue} />)}
          {none.length > 0 && <p class="muted">Nothing was given up of: {none.join(", ")}.</p>}
        </>
      )}
    </section>
  );
}

function DeadLetterQueue({ queue }: { queue: Queue }) {
  const hidden = queue.count - queue.letters.length;
  return (
    <section class="card">
      <h3>{queue.name}: {counted(queue.count, "message")}</h3>
      <ul class="stack close">
        {queue.letters.map((letter) => (
          <li key={letter.message_id}>{letter.subject} <span class="small-text">Sent <Time at={letter.sent_at} />.</span></li>
        ))}
      </ul>
      {hidden > 0 && <p class="small-text">Not shown: {hidden.toLocaleString("en")}.</p>}
      <CopyLine
        text={`packyard admin --stack STACK dead-letters redrive --of ${queue.name}`}
        what={`the command that redrives ${queue.name}`}
      />
    </section>
  );
}

function Organisation({ org, round }: { org: string; round: number }) {
  const [typed, setTyped] = useState(org);
  // The way back in the browser's history changes it too.
  useEffect(() => setTyped(org), [org]);
  const show = (event: Event) => {
    event.preventDefault();
    go(["operator"], { org: typed });
  };
  return (
    <section class="stack">
      <h2>What an organisation uses</h2>
      <search>
        <form class="row" onSubmit={show}>
          <Field label="Slug or id" wide>
            <input
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value.trim())}
            />
          </Field>
          <Button type="submit">Show</Button>
        </form>
      </search>
      {org ? (
        <OrganisationUsage org={org} round={round} />
      ) : (
        <Empty title="Name an organisation.">
          <p>Its slug is what its hosts begin with. Its quotas are shown, what it uses of them, and the command that changes them.</p>
        </Empty>
      )}
    </section>
  );
}
