import type { Schemas } from "../../api.ts";
import { go, link } from "../../router.ts";
import { Field } from "../../ui/index.ts";

interface Props {
  id: string;
  revisions: readonly Schemas["Revision"][];
  from: number | undefined;
  to: number | undefined;
}

/** Which two revisions to compare. */
export function RevisionChoice({ id, revisions, from, to }: Props) {
  const choose = (name: "from" | "to") => (event: { currentTarget: HTMLSelectElement }) =>
    go(["packs", id, "diff"], { from, to, [name]: event.currentTarget.value });
  return (
    <div class="revision-choice">
      <Field label="Before">
        <select value={from} onChange={choose("from")}><Options revisions={revisions} chosen={from} /></select>
      </Field>
      <Field label="After">
        <select value={to} onChange={choose("to")}><Options revisions={revisions} chosen={to} /></select>
      </Field>
      <a class="button" href={link(["packs", id, "diff"], { from: to, to: from })}>Swap</a>
    </div>
  );
}

function Options({ revisions, chosen }: { revisions: readonly Schemas["Revision"][]; chosen: number | undefined }) {
  const listed = revisions.some((entry) => entry.revision === chosen);
  return (
    <>
      {/* One of long ago, which an address names. */}
      {!listed && chosen !== undefined && <option value={chosen}>revision {chosen}</option>}
      {revisions.map(({ revision, version, status }) => (
        <option key={revision} value={revision} disabled={status === "deleted"}>
          revision {revision} · {version}{status === "active" ? "" : ` · ${status}`}
        </option>
      ))}
    </>
  );
}
