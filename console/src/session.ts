/** Signing in and out. */
import { ApiError, base, call } from "./api.ts";
import { credential } from "./credential.ts";
import { store, useStore } from "./store.ts";

export interface Session {
  /** Of the caller, where a pack of theirs tells it: the API has no other place that does. */
  readonly orgId: string | undefined;
  /** Whether the key looks like one of the operator's. It is for the service to say whether it is. */
  readonly operates: boolean;
}

/** How the secrets of keys begin that may `operate`. Asking would be a refusal for all others, at each sign-in. */
const OPERATORS = "sk_operator_";

const session = store<Session | undefined>(undefined);

export function useSession(): { session: Session | undefined; ended: boolean } {
  return { session: useStore(session), ended: useStore(credential).ended };
}

/** Try a key with a request that any valid one may make, and keep it if the service takes it. */
export async function signIn(key: string): Promise<void> {
  // A header cannot hold what is not in Latin-1, so that such a key would fail as a lost connection.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ApiError(0, "not_a_key", "A key has letters, digits and signs only, and no spaces. Copy it again.");
  }
  const headers = { Authorization: `Bearer ${key}` };
  const { body } = await call("get", "/packs", { query: { owned: true, limit: 1 }, headers });
  credential.take(key);
  session.set({ orgId: body.packs[0]?.org_id, operates: key.startsWith(OPERATORS) });
}

/**
 * Sign in by the link that `make run` prints. Its code works once.
 *
 * Only a local stack has such links; elsewhere the route does not exist.
 */
export async function signInByCode(code: string): Promise<void> {
  const answer = await fetch(new URL(`console/login/${encodeURIComponent(code)}`, base()), { cache: "no-store" });
  if (!answer.ok) {
    throw new ApiError(
      answer.status,
      "login_link_used",
      "This login link does not work any more: each works once, on a local stack. Paste a key instead.",
    );
  }
  const { key } = (await answer.json()) as { key: string };
  await signIn(key);
}

export function signOut(): void {
  credential.drop();
  session.set(undefined);
}
