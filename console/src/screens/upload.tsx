import { useRef, useState } from "preact/hooks";
import { ApiError, call, type Pack, type Schemas } from "../api.ts";
import type { Dropped } from "../content/drop.ts";
import { Visible } from "../content/visible.tsx";
import { Command } from "../parts/command.tsx";
import { counted } from "../parts/lists.ts";
import { type Chosen, chosenFrom } from "../parts/upload/chosen.ts";
import { DropZone } from "../parts/upload/drop_zone.tsx";
import { Faults } from "../parts/upload/faults.tsx";
import { Outcome } from "../parts/upload/outcome.tsx";
import { Progress } from "../parts/upload/progress.tsx";
import type { Sent } from "../parts/upload/send.ts";
import { useSending } from "../parts/upload/sending.ts";
import { link, replaceQuery, type Route } from "../router.ts";
import { Button, bytes, ErrorNotice, Field, Loading, Notice, Page, useLoad } from "../ui/index.ts";

type Visibility = Schemas["Visibility"];
interface Standing {
  pack: Pack;
  etag: string | undefined;
}

export default function Upload({ route }: { route: Route }) {
  const packId = route.query.get("pack") ?? undefined;
  const [chosen, setChosen] = useState<Chosen>();
  const [unread, setUnread] = useState<unknown>();
  const sending = useSending(route.query.get("upload") ?? undefined);
  const { step, sent, error, faults, texts } = sending.state;
  const standing = useLoad(async (signal) => (packId === undefined ? undefined : readPack(packId, signal)), [packId]);
  const busy = step !== undefined;

  const round = useRef(0);
  const take = async (dropped: Promise<Dropped>) => {
    const mine = ++round.current;
    setUnread(undefined);
    try {
      const checked = await chosenFrom(await dropped);
      // Only what was dropped last counts.
      if (mine !== round.current) return;
      setChosen(checked);
      sending.forget();
    } catch (failure) {
      setUnread(failure);
    }
  };

  return (
    <Page title="Upload a pack">
      {packId === undefined ? <Introduction /> : <Replaced standing={standing.data} />}
      {standing.error !== undefined && <ErrorNotice error={standing.error} onRetry={standing.reload} />}
      <DropZone disabled={busy} onDrop={(dropped) => void take(dropped)} />
      {unread !== undefined && <ErrorNotice error={unread} />}
      {chosen && (
        <ChosenCard
          chosen={chosen}
          standing={packId === undefined ? undefined : standing.data}
          waiting={packId !== undefined && standing.data === undefined}
          busy={busy}
          passed={sent?.outcome !== undefined}
          error={error}
          start={sending.start}
        />
      )}
      {step && (
        <>
          <Progress step={step} />
          {step.step !== "building" && <div><Button onClick={sending.cancel}>Stop</Button></div>}
        </>
      )}
      {error !== undefined && <Refusal error={error} onReload={standing.reload} />}
      {error !== undefined && route.query.has("upload") && (
        <div><Button onClick={() => sending.goOn(chosen)}>Go on with this upload</Button></div>
      )}
      {error !== undefined && <Faults title="Where" faults={faults} texts={texts} />}
      {sent?.outcome && <Outcome outcome={sent.outcome} texts={texts} />}
      {sent && !sent.outcome && <Published sent={sent} />}
      {sent && sent.warnings.length > 0 && (
        <Notice tone="warning" title="Worth knowing">
          <ul>{sent.warnings.map((warning) => <li key={warning}><Visible text={warning} /></li>)}</ul>
        </Notice>
      )}
    </Page>
  );
}

async function readPack(id: string, signal: AbortSignal): Promise<Standing> {
  const { body, etag } = await call("get", "/packs/{id}", { params: { id }, signal });
  return { pack: body, etag };
}

function Introduction() {
  return (
    <details>
      <summary>What is a pack?</summary>
      <div class="stack close">
        <p>
          A folder with a <code>pack.yaml</code> (or the <code>SKILL.md</code> of an Agent Skill), and beside it{" "}
          <code>behavior.md</code>, <code>guides/</code>, <code>scripts/</code>, <code>data/</code>, <code>templates/</code> or{" "}
          <code>skills/</code>. From a terminal, these make one, check it and publish it:
        </p>
        <Command text="packyard init my-pack" />
        <Command text="packyard check my-pack" />
        <Command text="packyard push my-pack" />
      </div>
    </details>
  );
}

function Replaced({ standing }: { standing: Standing | undefined }) {
  if (!standing) return <Loading />;
  const { pack } = standing;
  return (
    <Notice title={`The next version of ${pack.name}`}>
      <p>
        It has version {pack.version} now. Roles keep their pins until somebody moves them.{" "}
        <a href={link(["upload"])}>Publish a new pack instead</a>
      </p>
    </Notice>
  );
}

interface ChosenProps {
  chosen: Chosen;
  standing: Standing | undefined;
  /** Whether the pack that it replaces is still being read. */
  waiting: boolean;
  busy: boolean;
  /** Whether the service has said that it would take it. */
  passed: boolean;
  error: unknown;
  start: ReturnType<typeof useSending>["start"];
}

/** What was chosen, and what it is to become. */
function ChosenCard({ chosen, standing, waiting, busy, passed, error, start }: ChosenProps) {
  const [visibility, setVisibility] = useState<Visibility>("org");
  const [version, setVersion] = useState("");
  const skill = chosen.kind === "archive" || chosen.files.some(({ path }) => path === "SKILL.md");
  const fault = (field: string) => (error instanceof ApiError ? error.fields[field] : undefined);
  const send = (dryRun: boolean) => {
    const pack = standing && { id: standing.pack.id, etag: standing.etag };
    start(chosen, { pack, visibility, version: skill ? version.trim() : "", dryRun });
  };
  const sendable = chosen.faults.length === 0 && !waiting;
  return (
    <section class="card" aria-label="What was chosen">
      <h2>{chosen.name}</h2>
      <p>
        {chosen.kind === "folder" && `${counted(chosen.files.length, "file")}, `}
        {bytes(chosen.bytes)}
      </p>
      <LeftOut paths={chosen.leftOut} />
      <Faults title="This is not a pack yet" faults={chosen.faults} texts={new Map()} />
      {!standing && (
        <Field label="Who may see it" error={fault("visibility")}>
          <select value={visibility} onChange={(event) => setVisibility(event.currentTarget.value as Visibility)}>
            <option value="org">Your organisation</option>
            <option value="community">Everyone (community)</option>
          </select>
        </Field>
      )}
      {skill && (
        <Field
          label="Version (optional)"
          hint="Of an Agent Skill that states none. Empty: 0.1.0, or the next patch"
          error={fault("version")}
        >
          <input value={version} autocomplete="off" placeholder="1.4.0" onInput={(event) => setVersion(event.currentTarget.value)} />
        </Field>
      )}
      <div class="row">
        <Button kind={passed ? "plain" : "primary"} busy={busy} disabled={!sendable} onClick={() => send(true)}>
          Check it
        </Button>
        <Button kind={passed ? "primary" : "plain"} busy={busy} disabled={!sendable} onClick={() => send(false)}>
          Publish
        </Button>
        <span class="hint">A check sends it to the service, which keeps nothing.</span>
      </div>
    </section>
  );
}

function LeftOut({ paths }: { paths: readonly string[] }) {
  if (paths.length === 0) return null;
  return (
    <details>
      <summary>{counted(paths.length, "file")} left out: litter, version control, and what .packyardignore names</summary>
      <ul>{paths.slice(0, 200).map((path) => <li key={path}><code><Visible text={path} /></code></li>)}</ul>
    </details>
  );
}

/** Why it was refused, and what helps. */
function Refusal({ error, onReload }: { error: unknown; onReload: () => void }) {
  const refused = error instanceof ApiError ? error : undefined;
  const other = refused?.code === "pack_name_taken" ? refused.details.pack_id : undefined;
  const outdated = refused?.code === "precondition_failed" || refused?.code === "pack_modified";
  return (
    <>
      {/* Each field is shown at its file below. */}
      <ErrorNotice error={error} except={Object.keys(refused?.fields ?? {})} />
      {other !== undefined && (
        <div class="row">
          <Button onClick={() => replaceQuery({ pack: other })}>Make it the next version of that pack</Button>
          <a href={link(["packs", other])}>Look at that pack</a>
        </div>
      )}
      {outdated && (
        <div><Button onClick={onReload}>Go on from the pack as it is now</Button></div>
      )}
    </>
  );
}

function Published({ sent }: { sent: Sent }) {
  const { packId } = sent;
  return (
    <Notice tone="success" title="It is published.">
      {packId !== undefined && (
        <p>
          <a href={link(["packs", packId])}>Look at it</a>, then attach it to a <a href={link(["roles"])}>role</a>, or{" "}
          <a href={link(["feeds"], { new: "1", pack: packId })}>make a feed</a> of it.
        </p>
      )}
    </Notice>
  );
}
