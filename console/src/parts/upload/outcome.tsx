import type { Fault } from "../../content/folder.ts";
import { blockOf } from "../../content/places.ts";
import { Visible } from "../../content/visible.tsx";
import { Badge, Notice } from "../../ui/index.ts";
import { CapabilityChanges } from "../capabilities.tsx";
import { counted } from "../lists.ts";
import { Faults } from "./faults.tsx";
import type { DryRun } from "./send.ts";

const TITLES: Readonly<Record<DryRun["outcome"], string>> = {
  created: "It would be a new pack.",
  changed: "It would be a new revision.",
  unchanged: "It is what the pack holds already: nothing would change.",
};
const MOST_NAMED = 200;

/** What would come, by a dry run of the service. */
export function Outcome({ outcome, texts }: { outcome: DryRun; texts: ReadonlyMap<string, string> }) {
  const { pack, from, files, capabilities, manifest = [], limits = {}, scan } = outcome;
  return (
    <div class="stack">
      <Notice tone="success" title={`The service would take it. ${TITLES[outcome.outcome]}`}>
        <p>
          <strong>{pack.name} {pack.version}</strong>
          {from && <>, after {from.version} (revision {from.revision})</>}
        </p>
      </Notice>
      {capabilities && (
        <section class="card">
          <h3>What it may do {capabilities.widened && <Badge tone="warning">more than before</Badge>}</h3>
          <CapabilityChanges change={capabilities} />
        </section>
      )}
      {!capabilities && <Stated manifest={texts.get("pack.yaml")} />}
      {files && (
        <details>
          <summary>
            Files: {files.counts.added} added, {files.counts.changed} changed, {files.counts.removed} removed
          </summary>
          <ul>
            {[
              ...files.added.map((path) => `added ${path}`),
              ...files.changed.map(({ path }) => `changed ${path}`),
              ...files.removed.map((path) => `removed ${path}`),
            ]
              .slice(0, MOST_NAMED)
              .map((line) => <li key={line}><code><Visible text={line} /></code></li>)}
          </ul>
        </details>
      )}
      {manifest.length > 0 && <p>Changed in its manifest: {manifest.join(", ")}.</p>}
      {Object.keys(limits).length > 0 && (
        <details>
          <summary>What it uses of the limits</summary>
          <ul>
            {Object.entries(limits).map(([name, use]) => (
              <li key={name}>{name.replaceAll("_", " ")}: {use.used.toLocaleString("en")} of {use.limit.toLocaleString("en")}</li>
            ))}
          </ul>
        </details>
      )}
      {scan && (
        <Faults title={`The scan has ${counted(scan.findings?.length ?? 0, "finding")}`} faults={findingFaults(outcome)} texts={texts} />
      )}
    </div>
  );
}

/** What a new pack may do, in its own words: there is nothing that the service could compare it with. */
function Stated({ manifest }: { manifest: string | undefined }) {
  if (manifest === undefined) return null;
  const stated = blockOf(manifest, "capabilities");
  return (
    <section class="card">
      <h3>What it may do</h3>
      {stated === undefined ? (
        <p>It states no capabilities.</p>
      ) : (
        <pre class="capability-text" tabIndex={0} aria-label="Its capabilities"><Visible text={stated} /></pre>
      )}
    </section>
  );
}

/** The findings of a dry run's scan, as faults at their lines. */
export function findingFaults({ scan }: DryRun): Fault[] {
  return (scan?.findings ?? []).map((finding) => ({
    path: finding.path,
    message: `${finding.severity}: ${finding.why} ${finding.advice}`,
    ...(finding.line === undefined ? {} : { line: finding.line }),
  }));
}
