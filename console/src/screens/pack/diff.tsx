import { useMemo, useRef } from "preact/hooks";
import { call, type Schemas } from "../../api.ts";
import { Badge, Empty, ErrorNotice, Loading, Notice, useLoad } from "../../ui/index.ts";
import { CapabilityDiff } from "./capability_diff.tsx";
import { changesOf } from "./changes.ts";
import { ChangedFiles } from "./changed_files.tsx";
import { comparison, ends } from "./comparison.ts";
import { FileDiff } from "./file_diff.tsx";
import { RevisionChoice } from "./revision_choice.tsx";
import type { PackPart } from "./shown_pack.ts";

/** Two revisions of a pack: what they allow first, then their files. */
export function Diff({ pack, route }: PackPart) {
  const revisions = useLoad(
    async (signal) => {
      const params = { id: pack.id };
      return (await call("get", "/packs/{id}/revisions", { params, query: { limit: 100 }, signal })).body;
    },
    [pack.id],
  );
  const known = revisions.data?.revisions ?? [];
  // Without an address of two, the last step that was made.
  const asked = ends(route);
  const to = asked.to ?? known[0]?.revision;
  const from = asked.from ?? earlier(known, to);
  return (
    <section class="stack" aria-labelledby="compare">
      <h2 id="compare">Compare two revisions</h2>
      {revisions.error !== undefined && <ErrorNotice error={revisions.error} onRetry={revisions.reload} />}
      {from === undefined && revisions.loading && <Loading what="Loading the revisions" />}
      {revisions.data && from === undefined && (
        <Empty title="There is one revision only.">
          <p>When the pack is published again, what changed is shown here: first what it may do, then its files.</p>
        </Empty>
      )}
      {from !== undefined && <RevisionChoice id={pack.id} revisions={known} from={from} to={to} />}
      {from !== undefined && to !== undefined && (
        <Compared key={`${from} ${to}`} id={pack.id} from={from} to={to} file={route.query.get("file") ?? undefined} />
      )}
    </section>
  );
}

function earlier(known: readonly Schemas["Revision"][], to: number | undefined): number | undefined {
  return known.find((entry) => to !== undefined && entry.revision < to)?.revision;
}

interface ComparedProps {
  id: string;
  from: number;
  to: number;
  file: string | undefined;
}

function Compared({ id, from, to, file }: ComparedProps) {
  const { data, error, reload } = useLoad((signal) => comparison(id, from, to, signal), [id, from, to]);
  // The file in an address that was followed from elsewhere: what the revisions allow is read first.
  const arrivedWith = useRef(file);
  const changes = useMemo(() => (data?.files ? changesOf(data.files) : undefined), [data]);
  if (error !== undefined) return <ErrorNotice error={error} onRetry={reload} />;
  if (!data) return <Loading what="Comparing" />;
  if (file !== arrivedWith.current) arrivedWith.current = undefined;
  const at = changes?.findIndex((change) => change.path === file) ?? -1;
  const shown = changes?.[at];
  return (
    <>
      <CapabilityDiff capabilities={data.capabilities} from={from} to={to} />
      <section class="stack close" aria-labelledby="manifest">
        <h3 id="manifest">Manifest</h3>
        {data.manifest.length === 0 ? (
          <p>Nothing in <code>pack.yaml</code> differs.</p>
        ) : (
          <p class="row">{data.manifest.map((key) => <Badge key={key}>{key}</Badge>)}</p>
        )}
        {data.bump && <p class="muted">{BUMPS[data.bump]}</p>}
      </section>
      <section class="stack close" aria-labelledby="changed">
        <h3 id="changed">Files</h3>
        {data.files_unknown && <Notice title="The files are not known."><p>{data.files_unknown}</p></Notice>}
        {changes?.length === 0 && <p>No file differs.</p>}
        {changes && changes.length > 0 && <ChangedFiles id={id} from={from} to={to} changes={changes} here={file} />}
        {shown && (
          <FileDiff
            key={shown.path}
            id={id}
            from={from}
            to={to}
            change={shown}
            chosen={arrivedWith.current === undefined}
            previous={changes?.[at - 1]?.path}
            next={changes?.[at + 1]?.path}
          />
        )}
        {file && changes && !shown && <p>The file {file} is the same in both.</p>}
      </section>
    </>
  );
}

const BUMPS: Readonly<Record<NonNullable<Schemas["Diff"]["bump"]>, string>> = {
  major: "The version should take a major step: it may do more, or files are gone.",
  minor: "The version should take a minor step: files have come.",
  patch: "The version should take a patch step.",
  none: "Nothing differs that a version would say.",
};
