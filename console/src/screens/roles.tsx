import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { Command } from "../parts/command.tsx";
import { Listed } from "../parts/listed.tsx";
import { counted, pageQuery } from "../parts/lists.ts";
import { go, link, replaceQuery, type Route } from "../router.ts";
import { Badge, Button, Empty, Field, Page, Table, usePages } from "../ui/index.ts";

type Role = Schemas["ListedRole"];

export default function Roles({ route }: { route: Route }) {
  const onlyStale = route.query.get("stale") === "true";
  const roles = usePages(async (cursor, signal) => {
    const { body } = await call("get", "/agent-roles", { query: pageQuery(cursor), signal });
    return { items: body.roles, next: body.next_cursor };
  }, []);
  return (
    <Page title="Roles">
      <p class="muted">A role pins the packs that an agent runs. An update of a pack reaches it when somebody moves the pin.</p>
      <Listed pages={roles} empty={<NoRoles />}>
        {(items) => <RoleTable roles={items} onlyStale={onlyStale} complete={!roles.more} />}
      </Listed>
      {/* The list comes above it: earlier, it would be moved. */}
      {(roles.items || roles.error !== undefined) && <OpenRole />}
    </Page>
  );
}

function RoleTable({ roles, onlyStale, complete }: { roles: readonly Role[]; onlyStale: boolean; complete: boolean }) {
  const shown = onlyStale ? roles.filter((role) => role.stale) : roles;
  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={onlyStale}
          onChange={(event) => replaceQuery({ stale: event.currentTarget.checked || undefined })}
        />
        Only roles with a stale pin
      </label>
      {shown.length === 0 ? (
        <p>{complete ? "No role has a stale pin." : "None of the roles that are loaded has a stale pin."}</p>
      ) : (
        <Table
          caption="Roles"
          rows={shown}
          rowKey={(role) => role.role_id}
          columns={[
            {
              title: "Role",
              names: true,
              cell: (role) => <a href={link(["roles", role.role_id])}>{role.role_id}</a>,
            },
            { title: "Packs", cell: (role) => counted(role.pack_ids.length, "pack") },
            { title: "Revision", cell: (role) => role.revision },
            {
              title: "Pins",
              cell: (role) =>
                role.stale ? <Badge tone="warning">stale</Badge> : <Badge tone="good">current</Badge>,
            },
          ]}
        />
      )}
    </>
  );
}

/** A role is made when its packs are set for the first time, so its screen is where a new one begins too. */
function OpenRole() {
  const [name, setName] = useState("");
  const open = (event: Event) => {
    event.preventDefault();
    if (name.trim() !== "") go(["roles", name.trim(), "change"]);
  };
  return (
    <form class="row" onSubmit={open}>
      <Field label="New role" hint="Letters, digits, and . _ - between them">
        <input value={name} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Button type="submit">Choose its packs</Button>
    </form>
  );
}

function NoRoles() {
  return (
    <Empty title="Your organisation has no roles yet.">
      <p>Name one below and choose its packs, or do it from a terminal:</p>
      <Command text="packyard roles attach support-agent PACK" />
    </Empty>
  );
}
