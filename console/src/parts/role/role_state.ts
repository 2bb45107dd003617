import { ApiError, call, type Schemas } from "../../api.ts";

export type RolePack = Schemas["RolePack"];
export type Difference = Schemas["CapabilitiesDifference"];

/** A role as it was read, or one that is not there yet. */
export interface RoleState {
  id: string;
  revision: number;
  packs: readonly RolePack[];
  /** For `If-Match`; undefined for a role that is not there. */
  etag: string | undefined;
}

export async function readRole(id: string, signal: AbortSignal): Promise<RoleState> {
  try {
    const { body, etag } = await call("get", "/agent-roles/{role_id}/packs", { params: { role_id: id }, signal });
    return { id, revision: body.revision, packs: body.packs, etag };
  } catch (error) {
    // A role is made when its packs are set for the first time.
    if (error instanceof ApiError && error.code === "role_not_found") return { id, revision: 0, packs: [], etag: undefined };
    throw error;
  }
}

/** The header by which a write is refused if somebody has changed the role in the meantime. */
export function onlyAsSeen(role: RoleState): Record<string, string> {
  return role.etag === undefined ? { "If-None-Match": "*" } : { "If-Match": role.etag };
}

/** What a refusal wants consent to, by pack; undefined for another failure. */
export function consentWanted(error: unknown): Readonly<Record<string, Difference>> | undefined {
  return error instanceof ApiError && error.code === "capabilities_widened" ? error.details.capabilities : undefined;
}

/** The packs that the role holds of the name that it calls them by. */
export function calledInRole(pack: RolePack): string {
  return pack.alias ?? pack.name;
}
