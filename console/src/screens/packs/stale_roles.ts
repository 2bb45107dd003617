/** Which packs are stale in how many of the organisation's roles. */
import { call } from "../../api.ts";
import { useLoad } from "../../ui/index.ts";

/** Roles looked into; the screen of roles has them all. */
const MOST_ROLES = 20;

export function useStaleRoles(): { byPack: ReadonlyMap<string, number>; error: unknown } {
  const { data, error } = useLoad(count, []);
  return { byPack: data ?? new Map(), error };
}

async function count(signal: AbortSignal): Promise<Map<string, number>> {
  const { body } = await call("get", "/agent-roles", { query: { limit: 100 }, signal });
  const stale = body.roles.filter((role) => role.stale).slice(0, MOST_ROLES);
  const counts = new Map<string, number>();
  for (const { role_id } of stale) {
    const role = await call("get", "/agent-roles/{role_id}/packs", { params: { role_id }, signal });
    for (const pack of role.body.packs) if (pack.stale) counts.set(pack.id, (counts.get(pack.id) ?? 0) + 1);
  }
  return counts;
}
