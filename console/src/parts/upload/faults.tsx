import type { Fault } from "../../content/folder.ts";
import { Visible } from "../../content/visible.tsx";

interface Props {
  title: string;
  faults: readonly Fault[];
  /** The texts of the files, where they are known. */
  texts: ReadonlyMap<string, string>;
}

const AROUND = 2;

/** What is wrong, at its file and line. */
export function Faults({ title, faults, texts }: Props) {
  if (faults.length === 0) return null;
  const byPath = new Map<string, Fault[]>();
  for (const fault of faults) byPath.set(fault.path, [...(byPath.get(fault.path) ?? []), fault]);
  return (
    <section class="stack" aria-label={title}>
      <h3>{title}</h3>
      {[...byPath].map(([path, ofFile]) => (
        <section key={path} class="card" aria-label={path || "The pack as a whole"}>
          <h4>{path ? <code><Visible text={path} /></code> : "The pack as a whole"}</h4>
          <ul class="stack close">
            {ofFile.map((fault) => (
              <li key={`${fault.line ?? ""}:${fault.message}`} class="stack close">
                <p>
                  {fault.line !== undefined && <strong>Line {fault.line}{fault.column !== undefined && `, column ${fault.column}`}: </strong>}
                  <Visible text={fault.message} />
                </p>
                {fault.line !== undefined && <Excerpt text={texts.get(path)} line={fault.line} />}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

/** The line of a fault with those around it. */
function Excerpt({ text, line }: { text: string | undefined; line: number }) {
  if (!text) return null;
  const lines = text.split(/\r\n|\r|\n/);
  const from = Math.max(1, line - AROUND);
  const shown = lines.slice(from - 1, line + AROUND);
  return (
    <pre class="excerpt" tabIndex={0} aria-label={`Lines ${from} to ${from + shown.length - 1}`}>
      {shown.map((content, index) => (
        <span key={index} class={from + index === line ? "excerpt-line here" : "excerpt-line"}>
          <span class="line-number">{from + index}</span>
          {/* Minified files have lines of megabytes. */}
          <Visible text={content.slice(0, 300) || " "} />
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
