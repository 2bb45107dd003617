import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Line } from "./highlight.ts";
import { visibleParts } from "./invisible.ts";

interface Props {
  label: string;
  lines: readonly Line[];
  /** The address of a line; its number links to it. */
  lineLink?: (line: number) => string;
  /** A line to show and mark. */
  here?: number | undefined;
  /** What is to say of a line; it stands below it. */
  notes?: ReadonlyMap<number, ComponentChildren>;
}

/** Lines that are laid out together (style/content.css). */
const PART = 100;
const LINE_REM = 0.8125 * 1.5;

/** A file with its line numbers. */
export function Code({ label, lines, lineLink, here, notes }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector(".here")?.scrollIntoView({ block: "center" });
  }, [here, lines]);
  const parts = [];
  for (let from = 0; from < lines.length; from += PART) {
    const some = lines.slice(from, from + PART);
    // The first lines are always in view: as if they were not, they would move what follows for a moment.
    const far = from > 0 && { containIntrinsicHeight: `auto ${some.length * LINE_REM}rem` };
    parts.push(
      <div class={far ? "code-part far" : "code-part"} style={far || undefined} key={from}>
        {some.map((line, index) => {
          const number = from + index + 1;
          const note = notes?.get(number);
          const marks = [number === here && "here", note && "found"].filter(Boolean).join(" ");
          return [
            <div key={number} class={`code-line ${marks}`}>
              {lineLink ? (
                // The line's text says more than its number; the number would be a stop for each line.
                <a class="line-number" href={lineLink(number)} tabIndex={-1} aria-hidden="true">{number}</a>
              ) : (
                <span class="line-number" aria-hidden="true">{number}</span>
              )}
              <span><Pieces line={line} /></span>
            </div>,
            note && <div key={`note ${number}`} class="code-note">{note}</div>,
          ];
        })}
      </div>,
    );
  }
  return <div class="code" ref={box} role="region" aria-label={label} tabIndex={0}>{parts}</div>;
}

/** The coloured pieces of one line. An empty line keeps its height. */
export function Pieces({ line }: { line: Line }) {
  if (line.length === 0) return <>{"\n"}</>;
  return (
    <>
      {line.map((piece, index) => {
        const text = visibleParts(piece.text).map((part) =>
          part.invisible ? <span class="invisible">{part.text}</span> : part.text,
        );
        const kind = [piece.kind, piece.differs && "differs"].filter(Boolean).join(" ");
        return kind ? <span key={index} class={kind}>{text}</span> : text;
      })}
    </>
  );
}
