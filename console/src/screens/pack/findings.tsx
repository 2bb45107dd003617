/** What the scanner found in one file: above the file, and at the lines. */
import type { ComponentChildren } from "preact";
import type { Schemas } from "../../api.ts";
import { Badge, Notice } from "../../ui/index.ts";
import { SEVERITY_TONES } from "./scan.tsx";

export type Finding = Schemas["ScanFinding"];

interface Props {
  findings: readonly Finding[];
  lineLink: (line: number) => string;
}

/** All that was found in a file, with the way to each line. */
export function FindingsOfFile({ findings, lineLink }: Props) {
  if (findings.length === 0) return null;
  const title = findings.length === 1 ? "The scanner found something here." : `The scanner found ${findings.length} things here.`;
  return (
    <Notice tone={findings.every((finding) => finding.overridden) ? "info" : "warning"} title={title}>
      <ul>
        {findings.map((finding, index) => (
          <li key={index} class="row">
            <Head finding={finding} />
            {finding.line !== undefined && <a href={lineLink(finding.line)}>line {finding.line}</a>}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** What to say below which line. */
export function notesOf(findings: readonly Finding[]): Map<number, ComponentChildren> {
  const notes = new Map<number, ComponentChildren>();
  for (const line of new Set(findings.map((finding) => finding.line))) {
    if (line === undefined) continue;
    const here = findings.filter((finding) => finding.line === line);
    notes.set(line, here.map((finding, index) => <Note key={index} finding={finding} />));
  }
  return notes;
}

function Note({ finding }: { finding: Finding }) {
  return (
    <>
      <p class="row"><Head finding={finding} /></p>
      <p>{finding.why}</p>
      <p><strong>What to do:</strong> {finding.advice}</p>
    </>
  );
}

function Head({ finding }: { finding: Finding }) {
  return (
    <>
      <Badge tone={SEVERITY_TONES[finding.severity]}>{finding.severity}</Badge>
      <code>{finding.rule}</code>
      {finding.overridden && <Badge>let pass by an override</Badge>}
    </>
  );
}
