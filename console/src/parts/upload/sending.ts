import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../../api.ts";
import type { Fault } from "../../content/folder.ts";
import { faultsOf } from "../../content/places.ts";
import { replaceQuery } from "../../router.ts";
import type { UploadProgress } from "../../content/upload.ts";
import { useOnce } from "../once.ts";
import { type Chosen, textsFor } from "./chosen.ts";
import { findingFaults } from "./outcome.tsx";
import type { Step } from "./progress.tsx";
import { follow, send, type Sent, type Target } from "./send.ts";

export interface State {
  step?: Step;
  sent?: Sent;
  error?: unknown;
  /** What the service refused, or found, at files. */
  faults: readonly Fault[];
  texts: ReadonlyMap<string, string>;
}

const NOTHING: State = { faults: [], texts: new Map() };

/** Sending what was chosen, and following an upload that the address names. */
export function useSending(uploadId: string | undefined) {
  const [state, setState] = useState<State>(NOTHING);
  const stop = useRef<AbortController>();
  const once = useOnce();
  useEffect(() => () => stop.current?.abort(), []);
  useWarning(state.step !== undefined && state.step.step !== "building");

  const run = async (chosen: Chosen | undefined, work: (signal: AbortSignal) => Promise<Sent>): Promise<void> => {
    stop.current?.abort();
    const { signal } = (stop.current = new AbortController());
    setState(NOTHING);
    let ended = true;
    try {
      const sent = await work(signal);
      once.done();
      const faults = sent.outcome ? findingFaults(sent.outcome) : [];
      const texts = chosen ? await textsFor(chosen, ["pack.yaml", ...faults.map(({ path }) => path)]) : NOTHING.texts;
      if (!signal.aborted) setState({ sent, faults, texts });
    } catch (error) {
      if (signal.aborted) return;
      ended = !isUnsigned(error);
      // A new try is a new request: the form of this one may be over. Only whoever signs in again goes on with it.
      if (!isUnsigned(error)) once.done();
      const refused = error instanceof ApiError ? atFiles(error.details) : {};
      const texts = chosen ? await textsFor(chosen, pathsIn(refused)) : NOTHING.texts;
      setState({ error, faults: faultsOf(refused, texts), texts });
    } finally {
      if (ended && !signal.aborted) replaceQuery({ upload: undefined });
    }
  };

  const goOn = (chosen?: Chosen) => {
    if (uploadId === undefined) return;
    const show = (progress: UploadProgress) => setState({ ...NOTHING, step: { ...progress, of: 0 } });
    void run(chosen, (signal) => follow(uploadId, signal, show));
  };
  useEffect(() => goOn(), []);

  return {
    state,
    /** Follow the upload that the address names, after a new sign-in. */
    goOn,
    start: (chosen: Chosen, target: Target) =>
      void run(chosen, async (signal) => {
        let read = 0;
        const show = (step: Step) => signal.aborted || setState({ ...NOTHING, step });
        show({ step: "packing", read, of: chosen.bytes });
        const archive = await chosen.archive((more) => show({ step: "packing", read: (read += more), of: chosen.bytes }), signal);
        return send({
          archive,
          target,
          idempotency: once.headers([chosen.name, archive.size, target]),
          signal,
          onProgress: (progress) => show({ ...progress, of: archive.size }),
          onStarted: (id) => replaceQuery({ upload: id }),
        });
      }),
    cancel: () => {
      stop.current?.abort();
      setState(NOTHING);
      replaceQuery({ upload: undefined });
    },
    forget: () => {
      once.done();
      setState(NOTHING);
    },
  };
}

/** Whether the key was refused: the upload itself goes on. */
function isUnsigned(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** A refusal without the fields that have an input of their own on the page. */
function atFiles(details: ApiError["details"]): ApiError["details"] {
  const fields = Object.entries(details.fields ?? {}).filter(([name]) => name !== "visibility" && name !== "version");
  return { ...details, fields: Object.fromEntries(fields) };
}

/** The files that a refusal names. */
function pathsIn(refused: ApiError["details"]): string[] {
  const fields = Object.keys(refused.fields ?? {}).map((field) => field.replace(/^archive:/, "").replace(/^(pack\.yaml|SKILL\.md):.*$/s, "$1"));
  return [...fields, ...(refused.findings ?? []).map(({ path }) => path ?? "")];
}

/** Let the browser ask before the page is left while an archive is being sent. */
function useWarning(sending: boolean): void {
  useEffect(() => {
    if (!sending) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [sending]);
}
