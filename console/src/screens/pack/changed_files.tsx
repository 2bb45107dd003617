import { useMemo, useState } from "preact/hooks";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { Badge, bytes, Field, type Tone, VirtualList } from "../../ui/index.ts";
import { type FileChange, onlyMode } from "./changes.ts";

interface Props {
  id: string;
  from: number;
  to: number;
  changes: readonly FileChange[];
  here: string | undefined;
}

const TONES: Readonly<Record<FileChange["kind"], Tone>> = { added: "good", removed: "danger", changed: "info" };
const ROW_HEIGHT = 40;

/** The list of files that differ. Only what is in view is in the document: there may be thousands. */
export function ChangedFiles({ id, from, to, changes, here }: Props) {
  const [typed, setTyped] = useState("");
  const shown = useMemo(() => {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    return changes.filter(({ path, kind }) => words.every((word) => `${path} ${kind}`.toLowerCase().includes(word)));
  }, [changes, typed]);
  return (
    <>
      <div class="row ends">
        <p role="status">{summary(changes)}{shown.length < changes.length && ` ${shown.length} are listed.`}</p>
        <Field label="Find a changed file">
          <input type="search" autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </Field>
      </div>
      <VirtualList
        label="Changed files"
        items={shown}
        rowHeight={ROW_HEIGHT}
        itemKey={(change) => change.path}
        here={shown.findIndex((change) => change.path === here)}
      >
        {(change) => (
          <a
            class="changed-file"
            href={link(["packs", id, "diff"], { from, to, file: change.path })}
            aria-current={change.path === here ? "true" : undefined}
          >
            <Badge tone={TONES[change.kind]}>{onlyMode(change) ? "mode" : change.kind}</Badge>
            <span class="path" title={change.path}><Visible text={change.path} /></span>
            <span class="muted small-text">{sizes(change)}</span>
          </a>
        )}
      </VirtualList>
    </>
  );
}

function summary(changes: readonly FileChange[]): string {
  const count = (kind: FileChange["kind"]) => changes.filter((change) => change.kind === kind).length;
  return `${count("added")} added, ${count("removed")} removed, ${count("changed")} changed.`;
}

function sizes({ before, after }: FileChange): string {
  if (before && after && before.size !== after.size) return `${bytes(before.size)} → ${bytes(after.size)}`;
  return bytes((after ?? before)?.size ?? 0);
}
