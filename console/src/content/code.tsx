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
}

/** Lines that are laid out together (style/content.css). */
const PART = 100;

/** A file with its line numbers. */
export function Code({ label, lines, lineLink, here }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector(".here")?.scrollIntoView({ block: "center" });
  }, [here, lines]);
  const parts = [];
  for (let from = 0; from < lines.length; from += PART) {
    parts.push(
      <div class="code-part" key={from}>
        {lines.slice(from, from + PART).map((line, index) => {
          const number = from + index + 1;
          return (
            <div key={number} class={number === here ? "code-line here" : "code-line"}>
              {lineLink ? (
                // The line's text says more than its number; the number would be a stop for each line.
                <a class="line-number" href={lineLink(number)} tabIndex={-1} aria-hidden="true">{number}</a>
              ) : (
                <span class="line-number" aria-hidden="true">{number}</span>
              )}
              <span><Pieces line={line} /></span>
            </div>
          );
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
