import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { credential } from "../credential.ts";
import { useStore } from "../store.ts";

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string | undefined;
}

export interface Pages<Item> {
  readonly items: readonly Item[] | undefined;
  readonly error: unknown;
  readonly loading: boolean;
  /** Whether there is a further page. */
  readonly more: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

interface State<Item> {
  items?: readonly Item[];
  next?: string | undefined;
  error?: unknown;
  loading: boolean;
}

/** Fetch a list page by page, from the first one again whenever `inputs` change. */
export function usePages<Item>(
  fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
  inputs: readonly unknown[],
): Pages<Item> {
  const [state, setState] = useState<State<Item>>({ loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(fetch);
  latest.current = fetch;
  const stop = useRef(new AbortController());
  const { signIns } = useStore(credential);

  const read = useCallback((cursor: string | undefined) => {
    const { signal } = stop.current;
    setState((before) => ({ ...before, loading: true, error: undefined }));
    latest.current(cursor, signal).then(
      ({ items, next }) =>
        signal.aborted ||
        setState((before) => ({
          items: cursor === undefined ? items : [...(before.items ?? []), ...items],
          next,
          loading: false,
        })),
      (error) => signal.aborted || setState((before) => ({ ...before, error, loading: false })),
    );
  }, []);

  useEffect(() => {
    stop.current = new AbortController();
    read(undefined);
    return () => stop.current.abort();
  }, [...inputs, round, signIns]);

  return {
    items: state.items,
    error: state.error,
    loading: state.loading,
    more: state.next !== undefined,
    loadMore: () => state.next !== undefined && !state.loading && read(state.next),
    reload: useCallback(() => setRound((before) => before + 1), []),
  };
}
