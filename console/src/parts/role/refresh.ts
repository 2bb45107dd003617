import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { type Action, useAction } from "../action.ts";
import { consentWanted, type Difference, onlyAsSeen, type RoleState } from "./role_state.ts";

export interface Refresh {
  action: Action;
  /** What has to be agreed to before the pins can move. */
  wanted: Readonly<Record<string, Difference>> | undefined;
  /** Move the pins of these packs to the current revisions. */
  start: (packIds: readonly string[]) => void;
  agree: (accepted: Record<string, number>) => void;
  cancel: () => void;
}

/** Moving pins of a role, with consent where the service asks for it. */
export function useRefresh(role: RoleState, onMoved: (role: RoleState) => void): Refresh {
  const action = useAction();
  const [asking, setAsking] = useState<{ packIds: readonly string[]; wanted: Readonly<Record<string, Difference>> }>();

  const move = (packIds: readonly string[], accepted: Record<string, number>) =>
    action.run(async () => {
      try {
        await moved(role, packIds, accepted, onMoved);
        setAsking(undefined);
      } catch (error) {
        const wanted = consentWanted(error);
        if (!wanted) {
          // The dialog lies above the notice of the failure.
          setAsking(undefined);
          throw error;
        }
        setAsking({ packIds, wanted });
      }
    });

  return {
    action,
    wanted: asking?.wanted,
    start: (packIds) => void move(packIds, {}),
    agree(accepted) {
      if (!asking) return;
      // What nobody agreed to stays where it is, so it is not asked for.
      void move(asking.packIds.filter((id) => !(id in asking.wanted) || id in accepted), accepted);
    },
    cancel: () => setAsking(undefined),
  };
}

async function moved(
  role: RoleState,
  packIds: readonly string[],
  accepted: Record<string, number>,
  onMoved: (role: RoleState) => void,
): Promise<void> {
  let seen = role;
  let more = true;
  // A request moves a bounded number of pins; `more` says that others are left.
  while (more) {
    const { body, etag } = await call("post", "/agent-roles/{role_id}/packs/refresh", {
      params: { role_id: role.id },
      headers: onlyAsSeen(seen),
      body: { pack_ids: [...packIds], ...(Object.keys(accepted).length > 0 ? { accept_capabilities: accepted } : {}) },
    });
    seen = { id: role.id, revision: body.revision, packs: body.packs, etag };
    onMoved(seen);
    more = body.more === true;
  }
}
