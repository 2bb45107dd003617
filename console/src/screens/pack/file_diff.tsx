import { useEffect, useMemo, useRef } from "preact/hooks";
import { readFile } from "../../api.ts";
import { highlighted, plainLines } from "../../content/highlight.ts";
import { compareLines, MOST_LINES, sections } from "../../content/lines.ts";
import { type FileText, readText } from "../../content/text.ts";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { ErrorNotice, Loading, useLoad } from "../../ui/index.ts";
import { type FileChange, onlyMode } from "./changes.ts";
import { SideBySide } from "./side_by_side.tsx";

interface Props {
  id: string;
  from: number;
  to: number;
  change: FileChange;
  /** The files before and after it in the list. */
  previous: string | undefined;
  next: string | undefined;
  /** Whether somebody has chosen it in the list. */
  chosen: boolean;
}

/** One file in both revisions, beside each other. */
export function FileDiff({ id, from, to, change, previous, next, chosen }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever has chosen a file in the list wants to read it now.
  useEffect(() => {
    if (!chosen) return;
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const { data, error, reload } = useLoad(
    (signal) => Promise.all([side(id, change, "before", from, signal), side(id, change, "after", to, signal)]),
    [id, from, to, change.path],
  );
  const address = (revision: number) => link(["packs", id, "files", ...change.path.split("/")], { revision });
  return (
    <article class="stack close file-diff" aria-labelledby="file-diff">
      <div class="row ends">
        <h4 id="file-diff" ref={heading} tabIndex={-1}><Visible text={change.path} /></h4>
        <p class="row">
          {previous && <a href={link(["packs", id, "diff"], { from, to, file: previous })}>Previous file</a>}
          {next && <a href={link(["packs", id, "diff"], { from, to, file: next })}>Next file</a>}
          {change.before && <a href={address(from)}>In revision {from}</a>}
          {change.after && <a href={address(to)}>In revision {to}</a>}
        </p>
      </div>
      {change.before && change.after && change.before.mode !== change.after.mode && (
        <p>Its mode was {change.before.mode} and is {change.after.mode}.{onlyMode(change) && " The content is the same."}</p>
      )}
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {!data && error === undefined && <Loading what="Loading both contents" />}
      {data && !onlyMode(change) && <Compared path={change.path} before={data[0]} after={data[1]} />}
    </article>
  );
}

const NOTHING: FileText = { text: "", cut: false, binary: false };

async function side(
  id: string,
  change: FileChange,
  which: "before" | "after",
  revision: number,
  signal: AbortSignal,
): Promise<FileText> {
  if (!change[which] || onlyMode(change)) return NOTHING;
  return readText(await readFile(id, change.path, { revision, signal }));
}

function Compared({ path, before, after }: { path: string; before: FileText; after: FileText }) {
  const [left, right] = useMemo(() => [highlighted(before.text, path), highlighted(after.text, path)], [before, after, path]);
  const parted = useMemo(() => {
    if (before.binary || after.binary || before.cut || after.cut) return undefined;
    const [one, other] = [plainLines(before.text), plainLines(after.text)];
    if (one.length > MOST_LINES || other.length > MOST_LINES) return undefined;
    const rows = compareLines(before.text ? one : [], after.text ? other : []);
    return rows && sections(rows);
  }, [before, after]);
  if (before.binary || after.binary) return <p>It is no text in UTF-8, so its lines cannot be compared.</p>;
  if (!parted) return <p>It is too long, or too different, to be compared line by line here. Each revision’s own view shows it.</p>;
  if (parted.every((section) => section.hidden)) return <p>Only the line ends, or the end of the file, differ.</p>;
  return <SideBySide path={path} sections={parted} before={left} after={right} />;
}
