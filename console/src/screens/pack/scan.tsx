import { call, type Schemas } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { Badge, ErrorNotice, type Load, Notice, Time, type Tone, useLoad } from "../../ui/index.ts";
import { ScanBadge } from "../packs/scan_badge.tsx";
import { atRevision, type ShownPack } from "./shown_pack.ts";

type Finding = Schemas["ScanFinding"];

export const SEVERITY_TONES: Readonly<Record<Schemas["Severity"], Tone>> = {
  low: "neutral",
  medium: "info",
  high: "warning",
  critical: "danger",
};

export function useScan(pack: ShownPack, revision: number | undefined): Load<Schemas["PackScan"]> {
  return useLoad(
    async (signal) => {
      const params = { id: pack.id };
      return (await call("get", "/packs/{id}/scan", { params, query: atRevision(revision), signal })).body;
    },
    [pack.id, pack.image_digest, revision],
  );
}

interface Props {
  pack: ShownPack;
  revision: number | undefined;
  load: Load<Schemas["PackScan"]>;
}

export function Scan({ pack, revision, load: { data, error, reload } }: Props) {
  return (
    <section class="stack" aria-labelledby="scan">
      <h2 id="scan">Scan</h2>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data && <Result id={pack.id} owned={pack.owned} revision={revision} scan={data} />}
    </section>
  );
}

interface ResultProps {
  id: string;
  owned: boolean;
  revision: number | undefined;
  scan: Schemas["PackScan"];
}

function Result({ id, owned, revision, scan }: ResultProps) {
  const findings = scan.findings ?? [];
  return (
    <>
      <p class="row">
        <ScanBadge status={scan.status} />
        {scan.scanned_at && <span>scanned <Time at={scan.scanned_at} /></span>}
        {scan.scanner && (
          <span class="muted">
            by {scan.scanner.name} {scan.scanner.version}, rules {scan.scanner.rules}
          </span>
        )}
      </p>
      {scan.incomplete && <Notice tone="warning" title="Some of it was not scanned."><p>{scan.incomplete}</p></Notice>}
      {!owned && <p class="muted">What was found in another organisation’s pack is for its owner alone.</p>}
      {findings.length > 0 && (
        <ol class="stack">
          {findings.map((finding, index) => (
            <li key={index} class="card">
              <FindingView finding={finding} href={place(id, revision, finding)} />
            </li>
          ))}
        </ol>
      )}
      {scan.left_off !== undefined && <p>{scan.left_off} findings more are not listed.</p>}
      {scan.overrides && scan.overrides.length > 0 && <Overrides overrides={scan.overrides} />}
    </>
  );
}

function FindingView({ finding, href }: { finding: Finding; href: string }) {
  return (
    <>
      <div class="row">
        <h3><code>{finding.rule}</code></h3>
        <Badge tone={SEVERITY_TONES[finding.severity]}>{finding.severity}</Badge>
        <span class="muted small-text">{finding.confidence} confidence</span>
        {finding.overridden && <Badge>let pass by an override</Badge>}
      </div>
      <p>
        <a href={href}>
          <Visible text={finding.path} />{finding.line !== undefined && `, line ${finding.line}`}
        </a>
      </p>
      <pre class="excerpt"><code><Visible text={finding.excerpt} /></code></pre>
      <p>{finding.why}</p>
      <p><strong>What to do:</strong> {finding.advice}</p>
    </>
  );
}

function place(id: string, revision: number | undefined, { path, line }: Finding): string {
  return link(["packs", id, "files", ...path.split("/")], { revision, line, view: line ? undefined : "source" });
}

function Overrides({ overrides }: { overrides: readonly Schemas["ScanOverride"][] }) {
  return (
    <section class="stack close" aria-labelledby="overrides">
      <h3 id="overrides">Overrides</h3>
      <ul class="stack">
        {overrides.map((override, index) => (
          <li key={index}>
            <code>{override.rule}</code> in <Visible text={override.path} /> until <Time at={override.expires_at} />:{" "}
            <Visible text={override.reason} /> <span class="muted">(<Visible text={override.by} />, <Time at={override.at} />)</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
