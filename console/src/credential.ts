/**
 * The credential of this tab: in memory, and nowhere else.
 *
 * No storage, no cookie, no address holds it. It is gone when the tab is closed or reloaded.
 */
import { store } from "./store.ts";

export interface Credential {
  readonly key: string | undefined;
  /** Whether the service has refused a key that it took before: it was revoked, or it has expired. */
  readonly ended: boolean;
  /** How often somebody has signed in: what was asked for before may be answered differently now. */
  readonly signIns: number;
}

const held = store<Credential>({ key: undefined, ended: false, signIns: 0 });

export const credential = {
  get: held.get,
  watch: held.watch,
  set: held.set,
  take(key: string): void {
    held.set({ key, ended: false, signIns: held.get().signIns + 1 });
  },
  drop(): void {
    held.set({ ...held.get(), key: undefined, ended: false });
  },
  /** An answer to an older key says nothing about the one that is used now. */
  refused(key: string): void {
    if (held.get().key === key && !held.get().ended) held.set({ ...held.get(), ended: true });
  },
};
