import { call, type Schemas } from "../../api.ts";
import { link } from "../../router.ts";
import { Empty, Time, usePages } from "../../ui/index.ts";
import { Listed } from "../listed.tsx";
import { counted, pageQuery } from "../lists.ts";
import { usePackNames } from "../pack_names.ts";

type Revision = Schemas["RoleRevision"];

/** What has happened to a role, the newest first, and who agreed to what. */
export function RoleHistory({ roleId }: { roleId: string }) {
  const revisions = usePages(
    async (cursor, signal) => {
      const { body } = await call("get", "/agent-roles/{role_id}/revisions", {
        params: { role_id: roleId },
        query: pageQuery(cursor, 50),
        signal,
      });
      return { items: body.revisions, next: body.next_cursor };
    },
    [roleId],
  );
  return (
    <Listed pages={revisions} empty={<Empty title="Nothing has happened to this role yet." />}>
      {(items) => <Entries entries={items} />}
    </Listed>
  );
}

function Entries({ entries }: { entries: readonly Revision[] }) {
  const names = usePackNames([...new Set(entries.flatMap((entry) => entry.pack_ids))].sort());
  return (
    <ol class="timeline" aria-label="History, the newest first">
      {entries.map((entry) => (
        <li key={entry.revision} class="stack close">
          <p>
            <strong>Revision {entry.revision}</strong> · {entry.operation} by <code>{entry.actor}</code>,{" "}
            <Time at={entry.at} />
          </p>
          {Object.entries(entry.accepted_capabilities ?? {}).map(([id, revision]) => (
            <p key={id}>
              Agreed to what <a href={link(["packs", id])}>{names.get(id) ?? id}</a> may do at revision {revision}.
            </p>
          ))}
          <details>
            <summary>{counted(entry.pack_ids.length, "pack")}</summary>
            <ul>
              {entry.packs.map((pack) => (
                <li key={pack.id}>
                  <a href={link(["packs", pack.id])}>{pack.alias ?? names.get(pack.id) ?? pack.id}</a> {pack.version},
                  revision {pack.revision}
                  {pack.follow && ", follows"}
                </li>
              ))}
            </ul>
          </details>
        </li>
      ))}
    </ol>
  );
}
