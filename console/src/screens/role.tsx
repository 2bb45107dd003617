import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { counted } from "../parts/lists.ts";
import { RoleEditor } from "../parts/role/editor.tsx";
import { RoleHistory } from "../parts/role/history.tsx";
import { Pins } from "../parts/role/pins.tsx";
import { onlyAsSeen, readRole, type RoleState } from "../parts/role/role_state.ts";
import { link, replace, type Route } from "../router.ts";
import { Button, ErrorNotice, Loading, Page, Tabs, useLoad } from "../ui/index.ts";

export default function Role({ route }: { route: Route }) {
  const [, id = "", part] = route.path;
  const { data: role, error, reload, change } = useLoad((signal) => readRole(id, signal), [id]);
  const tab = (title: string, name?: string) => ({
    title,
    href: link(name === undefined ? ["roles", id] : ["roles", id, name]),
    here: part === name,
  });
  return (
    <Page title={`Role ${id}`} beside={role?.etag && <DeleteRole role={role} />}>
      <Tabs label={`Parts of ${id}`} tabs={[tab("Pins"), tab("Change packs", "change"), tab("History", "history")]} />
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {role === undefined && error === undefined && <Loading />}
      {role && part === undefined && <Pins role={role} onMoved={change} onReload={reload} />}
      {role && part === "change" && <RoleEditor role={role} onSaved={change} onReload={reload} />}
      {role && part === "history" && <RoleHistory key={role.revision} roleId={id} />}
    </Page>
  );
}

function DeleteRole({ role }: { role: RoleState }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button kind="danger" onClick={() => setAsking(true)}>Delete role</Button>
      {asking && (
        <Confirm
          title={`Delete the role ${role.id}?`}
          act="Delete role"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await call("delete", "/agent-roles/{role_id}", {
              params: { role_id: role.id },
              headers: onlyAsSeen(role),
            });
            replace(["roles"]);
          }}
        >
          <p>
            It lets go of {counted(role.packs.length, "pack")}; the packs stay. Agents that poll its lock get an error
            from then on, and feeds of the role answer nothing any more.
          </p>
        </Confirm>
      )}
    </>
  );
}
