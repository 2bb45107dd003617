import { useState } from "preact/hooks";
import { Pieces } from "../../content/code.tsx";
import type { Line } from "../../content/highlight.ts";
import type { Row, Section } from "../../content/lines.ts";
import { Button } from "../../ui/index.ts";

interface Props {
  path: string;
  sections: readonly Section[];
  before: readonly Line[];
  after: readonly Line[];
}

/** Rows that are drawn at once; a rewritten file has thousands. */
const AT_ONCE = 1_000;

/** Two texts in two columns; in a narrow window each line before is above the one after. */
export function SideBySide({ path, sections, before, after }: Props) {
  return (
    <div class="sides" role="region" aria-label={`What differs in ${path}`} tabIndex={0}>
      {sections.map((section, index) => <Part key={index} section={section} before={before} after={after} />)}
    </div>
  );
}

function Part({ section, before, after }: { section: Section } & Pick<Props, "before" | "after">) {
  const [most, setMost] = useState(section.hidden ? 0 : AT_ONCE);
  const rest = section.rows.length - most;
  return (
    <>
      {section.rows.slice(0, most).map((row) => (
        <div key={`${row.before} ${row.after}`} class={`sides-row ${row.kind}`}>
          <Side row={row} number={row.before} lines={before} sign="−" said="Removed" />
          <Side row={row} number={row.after} lines={after} sign="+" said="Added" />
        </div>
      ))}
      {rest > 0 && (
        <p class="sides-more">
          <Button onClick={() => setMost(most + AT_ONCE)}>
            Show {rest} {section.hidden && most === 0 ? "unchanged" : "more"} {rest === 1 ? "line" : "lines"}
          </Button>
        </p>
      )}
    </>
  );
}

interface SideProps {
  row: Row;
  number: number | undefined;
  lines: readonly Line[];
  sign: string;
  said: string;
}

function Side({ row, number, lines, sign, said }: SideProps) {
  if (number === undefined) return <div class="side none" aria-hidden="true" />;
  const differs = row.kind !== "same";
  return (
    <div class="side">
      <span class="line-number" aria-hidden="true">{number + 1}</span>
      <span class="sign" aria-hidden="true">{differs ? sign : ""}</span>
      {differs && <span class="unseen">{said}: </span>}
      <code><Pieces line={lines[number] ?? []} /></code>
    </div>
  );
}
