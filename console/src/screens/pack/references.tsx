import { useState } from "preact/hooks";
import { call, type Schemas } from "../../api.ts";
import { link } from "../../router.ts";
import { Badge, Button, type Column, CopyLine, Empty, ErrorNotice, Loading, Table, usePages } from "../../ui/index.ts";
import type { PackPart } from "./shown_pack.ts";

type Reference = Schemas["Reference"];

const COLUMNS: readonly Column<Reference>[] = [
  { title: "Role", names: true, cell: ({ role_id }) => <a href={link(["roles", role_id])}>{role_id}</a> },
  { title: "Pinned at", cell: ({ revision }) => `revision ${revision}` },
  { title: "Follows", cell: ({ follow }) => (follow ? "yes" : "no") },
  { title: "State", cell: ({ stale }) => (stale ? <Badge tone="warning">stale</Badge> : <Badge tone="good">up to date</Badge>) },
];

export function References({ pack }: PackPart) {
  const [others, setOthers] = useState<number>();
  const { items, error, loading, more, loadMore, reload } = usePages<Reference>(
    async (cursor, signal) => {
      const query = cursor === undefined ? {} : { cursor };
      const { body } = await call("get", "/packs/{id}/references", { params: { id: pack.id }, query, signal });
      if (body.others !== undefined) setOthers(body.others);
      return { items: body.roles, next: body.next_cursor };
    },
    [pack.id],
  );
  return (
    <section class="stack" aria-labelledby="references">
      <h2 id="references">Roles that pin this pack</h2>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {!items && loading && <Loading what="Loading the references" />}
      {items?.length === 0 && (
        <Empty title="No role of your organisation pins it.">
          <p><a href={link(["roles"])}>Attach it to a role here</a>, or by the command:</p>
          <CopyLine text={`packyard roles attach my-role ${pack.owned ? pack.name : pack.id}`} what="the command" />
        </Empty>
      )}
      {items && items.length > 0 && (
        <Table caption="Roles that pin this pack" columns={COLUMNS} rows={items} rowKey={(row) => row.role_id} />
      )}
      {more && <p><Button onClick={loadMore} busy={loading}>Show more</Button></p>}
      {others !== undefined && others > 0 && (
        <p>{others === 1 ? "One role" : `${others} roles`} of other organisations {others === 1 ? "pins" : "pin"} it, too.</p>
      )}
    </section>
  );
}
