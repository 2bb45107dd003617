import { useEffect, useState } from "preact/hooks";
import { call, type Pack } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { go } from "../../router.ts";
import { Button, ErrorNotice, Field, Notice, useLoad } from "../../ui/index.ts";
import { useAction } from "../action.ts";
import { counted, given } from "../lists.ts";
import { PackPicker } from "../pack_picker.tsx";
import { Consent } from "./consent.tsx";
import { calledInRole, consentWanted, type Difference, onlyAsSeen, type RoleState } from "./role_state.ts";

interface Row {
  id: string;
  name: string;
  alias: string;
  follow: boolean;
  /** The revision to pin, as it was typed; empty for the one that is pinned, or the current one of a new pack. */
  revision: string;
  /** Where it is pinned; undefined for a pack that is only being attached. */
  pinned: string | undefined;
  /** For a pack that is being attached: the revision whose capabilities are shown. */
  shown?: number | undefined;
}

const FIELDS = ["alias", "revision"] as const;

interface Props {
  role: RoleState;
  onSaved: (role: RoleState) => void;
  /** Read the role again. What was chosen here stays. */
  onReload: () => void;
}

/** Choose the packs of a role. The whole list is written at once, if nobody else changes the role in the meantime. */
export function RoleEditor({ role, onSaved, onReload }: Props) {
  const [rows, setRows] = useState<readonly Row[]>(() => rowsOf(role));
  const [wanted, setWanted] = useState<Readonly<Record<string, Difference>>>();
  const action = useAction();
  // A refusal was about the role as it was before it was read again.
  useEffect(action.forget, [role.revision]);
  const attached = rows.filter((row) => row.pinned === undefined);
  const detached = role.packs.filter((pack) => !rows.some((row) => row.id === pack.id));
  // To attach is to consent, so nothing is attached of which the screen does not show what it may do.
  const unseen = attached.some((row) => row.shown === undefined || String(row.shown) !== row.revision.trim());
  const change = (id: string, changes: Partial<Row>) => {
    setRows((before) => before.map((row) => (row.id === id ? { ...row, ...changes } : row)));
  };

  const attach = (pack: Pack) =>
    action.run(async () => {
      const row = await rowOf(pack);
      setRows((before) => [...before.filter((other) => other.id !== row.id), row]);
    });

  const save = (accepted: Record<string, number> = {}) =>
    action.run(async () => {
      try {
        onSaved(await saved(role, rows, accepted));
        setWanted(undefined);
        go(["roles", role.id]);
      } catch (error) {
        setWanted(consentWanted(error));
        if (!consentWanted(error)) throw error;
      }
    });

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {rows.length === 0 && <p>No packs are chosen.</p>}
      <ul class="stack editor" aria-label="Chosen packs">
        {rows.map((row, index) => (
          <li key={row.id} class="card">
            <RowEditor
              row={row}
              fault={(field) => action.fault(`packs[${index}].${field}`)}
              onChange={(changes) => change(row.id, changes)}
            />
            <div>
              <Button
                aria-label={`Detach ${row.name}`}
                onClick={() => setRows(rows.filter((other) => other.id !== row.id))}
              >
                Detach
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <PackPicker
        label="Attach a pack"
        hint="Words of its name or description, or its id"
        chosen={rows.map((row) => row.id)}
        onPick={(pack) => void attach(pack)}
      />
      {attached.length > 0 && (
        <Notice tone="warning" title="To attach a pack is to allow what it may do.">
          <p>It is shown with each pack above that is not pinned yet, and recorded under your name.</p>
        </Notice>
      )}
      {detached.length > 0 && <p>Detached: {detached.map(calledInRole).join(", ")}.</p>}
      {action.error !== undefined && (
        <ErrorNotice error={action.error} except={rows.flatMap((_, index) => FIELDS.map((field) => `packs[${index}].${field}`))} />
      )}
      {isOutdated(action.error) && (
        <Button onClick={onReload}>Go on from the role as it is now; your choice stays</Button>
      )}
      <Button kind="primary" type="submit" busy={action.busy} disabled={unseen}>
        {attached.length > 0 ? `Allow this, and save ${counted(rows.length, "pack")}` : `Save ${counted(rows.length, "pack")}`}
      </Button>
      {wanted && (
        <Consent
          key={JSON.stringify(wanted)}
          roleId={role.id}
          wanted={wanted}
          names={new Map(rows.map((row) => [row.id, row.name]))}
          busy={action.busy}
          each={false}
          onAgree={(accepted) => void save(accepted)}
          onClose={() => setWanted(undefined)}
        />
      )}
    </form>
  );
}

interface RowProps {
  row: Row;
  fault: (field: (typeof FIELDS)[number]) => string | undefined;
  onChange: (changes: Partial<Row>) => void;
}

function RowEditor({ row, fault, onChange }: RowProps) {
  return (
    <>
      <p>
        <strong>{row.name}</strong>{" "}
        <span class="muted">{row.pinned ?? "will be attached"}</span>
      </p>
      {row.pinned === undefined && (
        <Attached row={row} onShown={(shown) => onChange({ shown })} />
      )}
      <div class="row">
        <Field label={`Alias of ${row.name}`} hint="Needed if two packs have one name" error={fault("alias")}>
          <input value={row.alias} autocomplete="off" onInput={(event) => onChange({ alias: event.currentTarget.value })} />
        </Field>
        <Field
          label={`Revision of ${row.name}`}
          hint={row.pinned === undefined ? "To be pinned" : "Empty: it stays where it is"}
          error={fault("revision")}
        >
          <input
            inputMode="numeric"
            value={row.revision}
            autocomplete="off"
            onInput={(event) => onChange({ revision: event.currentTarget.value })}
          />
        </Field>
        <label>
          <input
            type="checkbox"
            checked={row.follow}
            onChange={(event) => onChange({ follow: event.currentTarget.checked })}
          />
          Follow: move the pin of {row.name} by itself, never to more than is allowed now
        </label>
      </div>
    </>
  );
}

/** What the revision that is to be attached may do. */
function Attached({ row, onShown }: { row: Row; onShown: (revision: number) => void }) {
  const wanted = row.revision.trim();
  const { data, error } = useLoad(
    async (signal) => {
      if (!/^[1-9]\d{0,9}$/.test(wanted)) return undefined;
      const params = { id: row.id, n: Number(wanted) };
      const { body } = await call("get", "/packs/{id}/revisions/{n}", { params, signal });
      onShown(body.revision);
      return body;
    },
    [row.id, wanted],
  );
  if (error !== undefined) return <ErrorNotice error={error} />;
  if (!data || String(data.revision) !== wanted) return <p class="hint">State the revision to attach.</p>;
  return data.capabilities ? (
    <details open>
      <summary>What revision {data.revision} ({data.version}) may do</summary>
      <pre class="capability-text" tabIndex={0} aria-label={`Capabilities of ${row.name}`}><Visible text={data.capabilities} /></pre>
    </details>
  ) : (
    <p class="muted">Revision {data.revision} ({data.version}) states no capabilities.</p>
  );
}

async function saved(role: RoleState, rows: readonly Row[], accepted: Record<string, number>): Promise<RoleState> {
  const { body, etag } = await call("put", "/agent-roles/{role_id}/packs", {
    params: { role_id: role.id },
    headers: onlyAsSeen(role),
    body: {
      packs: rows.map(({ id, alias, follow, revision }) => ({
        id,
        follow,
        ...given({ alias: alias.trim(), revision: revision.trim() === "" ? undefined : Number(revision) || 0 }),
      })),
      ...(Object.keys(accepted).length > 0 ? { accept_capabilities: accepted } : {}),
    },
  });
  return { id: role.id, revision: body.revision, packs: body.packs, etag };
}

function rowsOf(role: RoleState): Row[] {
  return role.packs.map((pack) => ({
    id: pack.id,
    name: pack.name,
    alias: pack.alias ?? "",
    follow: pack.follow,
    revision: "",
    pinned: `${pack.version}, pinned at revision ${pack.revision}`,
  }));
}

/** A row for a pack at its current revision. The pin names it, so that nobody attaches what comes a moment later. */
async function rowOf(pack: Pack): Promise<Row> {
  const { body } = await call("get", "/packs/{id}/revisions", { params: { id: pack.id }, query: { limit: 1 } });
  const revision = String(body.revisions[0]?.revision ?? "");
  return { id: pack.id, name: pack.name, alias: "", follow: false, revision, pinned: undefined };
}

/** Whether somebody else has changed the role since it was read. */
function isOutdated(error: unknown): boolean {
  const code = error instanceof Object && "code" in error ? error.code : undefined;
  return code === "precondition_failed" || code === "role_modified";
}
