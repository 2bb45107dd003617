import type { Pack, Schemas } from "../../api.ts";
import type { Route } from "../../router.ts";

/** A pack as it is, or as it was at a revision. */
export type ShownPack = Pack | Schemas["PackRevision"];

/** What every part of the pack's screen gets. */
export interface PackPart {
  readonly pack: ShownPack;
  /** The revision in the address; undefined for the present one. */
  readonly revision: number | undefined;
  readonly route: Route;
  /** Read the pack again, after something has changed it. */
  readonly reload: () => void;
}

/** The query of a revision, where there is one. */
export function atRevision(revision: number | undefined): { revision?: number } {
  return revision === undefined ? {} : { revision };
}
