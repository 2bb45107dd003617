import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { credential } from "../credential.ts";
import { useStore } from "../store.ts";

export interface Load<T> {
  /** The last answer. While the next one is on its way it stays, so that the page does not jump. */
  readonly data: T | undefined;
  readonly error: unknown;
  readonly loading: boolean;
  readonly reload: () => void;
  /** Show a changed answer, such as that of a write, without asking for it. */
  readonly change: (data: T) => void;
}

/**
 * Fetch what a screen shows, again whenever `inputs` change or somebody has signed in anew.
 *
 * An answer that comes after the inputs have changed is dropped, and its request cancelled.
 */
export function useLoad<T>(fetch: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Load<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown; loading: boolean }>({ loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(fetch);
  latest.current = fetch;
  const { signIns } = useStore(credential);

  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    latest.current(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, loading: false }),
      (error) => stop.signal.aborted || setState((before) => ({ ...before, error, loading: false })),
    );
    return () => stop.abort();
  }, [...inputs, round, signIns]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const change = useCallback((data: T) => setState({ data, loading: false }), []);
  return { data: state.data, error: state.error, loading: state.loading, reload, change };
}
