import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api.ts";

export interface Action {
  readonly busy: boolean;
  /** Why the last try failed; undefined after one that did not, and before the first. */
  readonly error: unknown;
  /** Do it, unless it is being done. Returns whether it succeeded. */
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
  readonly forget: () => void;
  /** What the service says is wrong with a field of the request. */
  readonly fault: (field: string) => string | undefined;
}

/** Something that a person starts with a button: it runs once at a time, and its failure is kept to be shown. */
export function useAction(): Action {
  const [state, setState] = useState<{ busy: boolean; error?: unknown }>({ busy: false });
  const running = useRef(false);
  const there = useRef(true);
  useEffect(() => () => void (there.current = false), []);

  const run = useCallback(async (work: () => Promise<void>): Promise<boolean> => {
    if (running.current) return false;
    running.current = true;
    setState({ busy: true });
    try {
      await work();
      if (there.current) setState({ busy: false });
      return true;
    } catch (error) {
      if (there.current) setState({ busy: false, error });
      return false;
    } finally {
      running.current = false;
    }
  }, []);
  const forget = useCallback(() => setState({ busy: false }), []);
  const { error } = state;
  return {
    busy: state.busy,
    error,
    run,
    forget,
    fault: (field) => (error instanceof ApiError ? error.fields[field] : undefined),
  };
}
