/**
 * The credential of this tab: in memory, and nowhere else.
 *
 * No storage, no cookie, no address holds it. It is gone when the tab is closed or reloaded.
 */
import { type Store, store } from "./store.ts";

export interface Credential {
  readonly key: string | undefined;
  /** Whether the service has refused a key that it took before: it was revoked, or it has expired. */
  readonly ended: boolean;
}

const held = store<Credential>({ key: undefined, ended: false });

export const credential: Store<Credential> & { refused(key: string): void } = {
  ...held,
  /** An answer to an older key says nothing about the one that is used now. */
  refused(key) {
    if (held.get().key === key && !held.get().ended) held.set({ key, ended: true });
  },
};
