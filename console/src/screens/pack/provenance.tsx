import { call, type Schemas } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { Badge, Button, CopyLine, ErrorNotice, type Load, Notice, Time, type Tone, useLoad } from "../../ui/index.ts";
import { Brought } from "./brought.tsx";
import { atRevision, type ShownPack } from "./shown_pack.ts";
import { checked, type Verdict } from "./signature.ts";
import { MATERIALS, materials, PROVENANCE, predicateOf, provenanceFacts, type Signed } from "./statement.ts";

type Keys = Schemas["SigningKeyList"]["keys"];
interface Found {
  list: Schemas["AttestationList"];
  keys: Keys;
}

export function useStatements(pack: ShownPack, revision: number | undefined): Load<Found> {
  return useLoad((signal) => read(pack.id, revision, signal), [pack.id, pack.image_digest, revision]);
}

export function Provenance({ load: { data, error, reload } }: { load: Load<Found> }) {
  return (
    <section class="stack" aria-labelledby="provenance">
      <h2 id="provenance">Provenance and signatures</h2>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data && <State state={data.list.attestations} onReload={reload} />}
      {data?.list.statements.map((statement) => (
        <Statement key={statement.digest} statement={statement} image={data.list.image_digest} keys={data.keys} />
      ))}
      {data?.list.brought && <Brought brought={data.list.brought} />}
      {data && data.list.statements.length > 0 && (
        <section class="stack close">
          <h3>Verify it yourself</h3>
          <p>This page has the keys from the service. The command checks signatures and every file on your machine, offline, by keys that you hold:</p>
          <CopyLine text="packyard verify ./packs --require-provenance" what="the command to verify" />
        </section>
      )}
    </section>
  );
}

async function read(id: string, revision: number | undefined, signal: AbortSignal): Promise<Found> {
  const [attestations, keys] = await Promise.all([
    call("get", "/packs/{id}/attestations", { params: { id }, query: atRevision(revision), signal }),
    call("get", "/.well-known/packyard/keys.json", { signal }),
  ]);
  return { list: attestations.body as Schemas["AttestationList"], keys: keys.body.keys };
}

function State({ state, onReload }: { state: Schemas["Attestations"]; onReload: () => void }) {
  if (state === "attached") return null;
  if (state === "pending") {
    return (
      <Notice title="The statements about this image are being signed.">
        <p>That takes some seconds.</p>
        <Button onClick={onReload}>Look again</Button>
      </Notice>
    );
  }
  return <p>The service has signed nothing about this image: it makes statements about images that it builds, if its operator lets it.</p>;
}

function Statement({ statement, image, keys }: { statement: Signed; image: string; keys: Keys }) {
  const predicate = predicateOf(statement);
  const key = keys.find((each) => each.id === statement.key_id);
  return (
    <article class="card">
      <div class="row">
        <h3>{title(statement)}</h3>
        {key ? (
          <Signature statement={statement} image={image} signer={key} />
        ) : (
          <Badge tone="danger">signed with a key that the service does not list</Badge>
        )}
      </div>
      <Said statement={statement} predicate={predicate} />
      <dl class="facts small-text">
        <dt>Signed</dt>
        <dd><Time at={statement.signed_at} /></dd>
        <dt>Key</dt>
        <dd><code>{statement.key_id}</code></dd>
        <dt>Bundle</dt>
        <dd><code>{statement.digest}</code></dd>
      </dl>
    </article>
  );
}

interface SignatureProps {
  statement: Signed;
  image: string;
  signer: Keys[number];
}

const VERDICTS: Readonly<Record<Verdict, readonly [string, Tone]>> = {
  fits: ["checked in this page: it fits this image", "good"],
  "does not fit": ["the signature does not fit", "danger"],
  "about another image": ["about another image", "danger"],
  unchecked: ["not checked: that needs https", "neutral"],
};

function Signature({ statement, image, signer }: SignatureProps) {
  const { data: verdict } = useLoad(() => checked(statement, signer, image), [statement.digest, signer.id, image]);
  const [text, tone] = verdict ? VERDICTS[verdict] : ["being checked", "neutral" as const];
  return (
    <>
      <Badge>signed with {signer.current ? "the service’s present key" : "an earlier key of the service"}</Badge>
      <Badge tone={tone}>{text}</Badge>
    </>
  );
}

function title({ predicate_type: type }: Signed): string {
  if (type === PROVENANCE) return "How it came about";
  if (type === MATERIALS) return "What is in it";
  return type;
}

function Said({ statement, predicate }: { statement: Signed; predicate: unknown }) {
  if (predicate === undefined) return <p>This page cannot read what it says.</p>;
  if (statement.predicate_type === PROVENANCE) {
    return (
      <dl class="facts">
        {provenanceFacts(predicate).flatMap(([name, value]) => [
          <dt key={name}><Visible text={name} /></dt>,
          <dd key={`${name} value`}><Visible text={value} /></dd>,
        ])}
      </dl>
    );
  }
  if (statement.predicate_type !== MATERIALS) return null;
  const { files, packages } = materials(predicate);
  return (
    <>
      <p>
        {files} {files === 1 ? "file" : "files"}, each with its digest; {packages.length || "no"}{" "}
        {packages.length === 1 ? "package" : "packages"} that its files ask for.
      </p>
      {packages.length > 0 && (
        <details>
          <summary>Show the packages</summary>
          <ul>{packages.map((name, index) => <li key={index}><Visible text={name} /></li>)}</ul>
        </details>
      )}
    </>
  );
}
