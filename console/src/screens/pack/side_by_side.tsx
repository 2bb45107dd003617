import { useState } from "preact/hooks";
import { Pieces } from "../../content/code.tsx";
import type { Line } from "../../content/highlight.ts";
import type { Row, Section } from "../../content/lines.ts";
import { markedPair } from "../../content/words.ts";
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
        <RowView key={`${row.before} ${row.after}`} row={row} before={before} after={after} />
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

function RowView({ row, before, after }: { row: Row } & Pick<Props, "before" | "after">) {
  let left = lineAt(before, row.before);
  let right = lineAt(after, row.after);
  if (row.kind === "changed") [left, right] = markedPair(left, right);
  return (
    <div class={`sides-row ${row.kind}`}>
      <Side row={row} number={row.before} line={left} sign="−" said="Removed" />
      <Side row={row} number={row.after} line={right} sign="+" said="Added" />
    </div>
  );
}

function lineAt(lines: readonly Line[], number: number | undefined): Line {
  return number === undefined ? [] : (lines[number] ?? []);
}

interface SideProps {
  row: Row;
  number: number | undefined;
  line: Line;
  sign: string;
  said: string;
}

function Side({ row, number, line, sign, said }: SideProps) {
  if (number === undefined) return <div class="side none" aria-hidden="true" />;
  const differs = row.kind !== "same";
  return (
    <div class="side">
      <span class="line-number" aria-hidden="true">{number + 1}</span>
      <span class="sign" aria-hidden="true">{differs ? sign : ""}</span>
      {differs && <span class="unseen">{said}: </span>}
      <code><Pieces line={line} /></code>
    </div>
  );
}
