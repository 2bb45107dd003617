/** The packs that an address asks for. */
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { call, type Pack } from "../../api.ts";
import { credential } from "../../credential.ts";
import { link } from "../../router.ts";
import { useStore } from "../../store.ts";
import { Asking, type Shown } from "./asking.ts";
import type { Wanted } from "./filters.tsx";

/** Packs that fill a screen or two. */
const LIMIT = 24;
/** With filters a page may be empty although others follow; so many of those are passed over at once. */
const PAGES_AT_ONCE = 8;
/** The service refuses more (API contract, section 2). */
const MOST_WORDS = 8;

export interface Question extends Wanted {
  cursor?: string;
}

export interface Found {
  readonly packs: readonly Pack[];
  readonly next_cursor?: string;
}

/** The packs of an address, asked for anew when it changes or when somebody has signed in. */
export function useFound(question: Question): Shown<Question, Found> & { again: () => void } {
  const [shown, show] = useState<Shown<Question, Found>>({ loading: true });
  const { signIns } = useStore(credential);
  const asking = useMemo(() => new Asking({ keyOf, ask, follows, show }), [signIns]);
  useEffect(() => () => asking.stop(), [asking]);
  // Before the frame with the letter is drawn: its answer is waited for.
  useLayoutEffect(() => asking.want(question), [keyOf(question), asking]);
  return { ...shown, again: () => asking.again() };
}

function keyOf(question: Question): string {
  return link([], { ...question });
}

async function ask(question: Question, signal: AbortSignal): Promise<Found> {
  let query = { ...question, limit: LIMIT };
  for (let page = 1; ; page += 1) {
    const { body } = await call("get", "/packs", { query, signal });
    if (body.packs.length > 0 || body.next_cursor === undefined || page === PAGES_AT_ONCE) return body;
    query = { ...query, cursor: body.next_cursor };
  }
}

/** If no pack has the words so far, none has them and more. Letters that can merge with the next are asked for. */
export function follows(question: Question, from: { question: Question; answer: Found }): Found | undefined {
  const { search = "", ...others } = question;
  const { search: before = "", ...othersBefore } = from.question;
  const none = from.answer.packs.length === 0 && from.answer.next_cursor === undefined;
  if (!none || before === "" || !search.startsWith(before) || !/^[\x20-\x7e]*$/.test(search)) return undefined;
  if (keyOf(others) !== keyOf(othersBefore) || search.split(/[^a-z\d]+/i).length > MOST_WORDS) return undefined;
  return { packs: [] };
}
