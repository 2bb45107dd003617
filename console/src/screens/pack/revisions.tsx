import { call, type Schemas } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { Badge, Button, Empty, ErrorNotice, Loading, Time, usePages } from "../../ui/index.ts";
import type { PackPart } from "./shown_pack.ts";
import { Withdrawal } from "./withdrawal.tsx";

type Revision = Schemas["Revision"];

export function Revisions({ pack, reload: reloadPack }: PackPart) {
  const { items, error, loading, more, loadMore, reload } = usePages<Revision>(
    async (cursor, signal) => {
      const query = cursor === undefined ? {} : { cursor };
      const { body } = await call("get", "/packs/{id}/revisions", { params: { id: pack.id }, query, signal });
      return { items: body.revisions, next: body.next_cursor };
    },
    [pack.id],
  );
  // What is withdrawn is said of the pack too.
  const changed = () => {
    reload();
    reloadPack();
  };
  return (
    <section class="stack" aria-labelledby="revisions">
      <h2 id="revisions">Revisions</h2>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {!items && loading && <Loading what="Loading the revisions" />}
      {items?.length === 0 && <Empty title="No revision of this pack is visible to you." />}
      {items && items.length > 0 && (
        <ol class="revisions">
          {items.map((entry, index) => (
            <Entry
              key={entry.revision}
              id={pack.id}
              owned={pack.owned}
              entry={entry}
              before={items[index + 1]}
              current={index === 0}
              onChange={changed}
            />
          ))}
        </ol>
      )}
      {more && <p><Button onClick={loadMore} busy={loading}>Show earlier ones</Button></p>}
    </section>
  );
}

interface EntryProps {
  id: string;
  owned: boolean;
  entry: Revision;
  before: Revision | undefined;
  current: boolean;
  onChange: () => void;
}

function Entry({ id, owned, entry, before, current, onChange }: EntryProps) {
  const { revision, withdrawal } = entry;
  const sameImage = before?.image_digest === entry.image_digest;
  return (
    <li>
      <div class="row">
        <h3>Revision {revision}</h3>
        <Badge>{entry.version}</Badge>
        {current && <Badge tone="good">current</Badge>}
        {entry.status !== "active" && <Badge tone="danger">{entry.status}</Badge>}
      </div>
      <p>
        {entry.operation.replaceAll("_", " ")}, <Time at={entry.at} />
        {entry.actor && <> by <Visible text={entry.actor} /></>}
      </p>
      {withdrawal && (
        <p>
          Withdrawn <Time at={withdrawal.at} /> by <Visible text={withdrawal.by} />: <Visible text={withdrawal.reason} />
        </p>
      )}
      {entry.status !== "deleted" && (
        <p class="row">
          <a href={link(["packs", id], { revision })}>Overview</a>
          <a href={link(["packs", id, "files"], { revision })}>Files</a>
          <a href={link(["packs", id, "trust"], { revision })}>Trust</a>
          {sameImage && <span class="muted">the same content as revision {before?.revision}</span>}
          {before && !sameImage && (
            <a href={link(["packs", id, "diff"], { from: before.revision, to: revision })}>
              Compare with revision {before.revision}
            </a>
          )}
          {owned && <Withdrawal id={id} revision={revision} withdrawn={entry.status === "withdrawn"} onDone={onChange} />}
        </p>
      )}
    </li>
  );
}
