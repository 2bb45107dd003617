/** The comparison of two revisions: one answer, with what they allow and with their files. */
import { call, type Schemas } from "../../api.ts";
import { credential } from "../../credential.ts";
import type { Route } from "../../router.ts";

export type Comparison = Schemas["Diff"];

/** What has been asked for before the screen is there that shows it. */
let begun: { key: string; answer: Promise<Comparison> } | undefined;

/** Ask for the comparison of an address while its pack is still being read: the address says all that is needed. */
export function begin(route: Route): void {
  const [, id, part] = route.path;
  const { from, to } = ends(route);
  if (id === undefined || part !== "diff" || from === undefined || to === undefined) return;
  const key = keyOf(id, from, to);
  if (begun?.key === key) return;
  begun = { key, answer: read(id, from, to) };
  // Whoever takes the answer is told of a failure.
  begun.answer.catch(() => undefined);
}

export function comparison(id: string, from: number, to: number, signal: AbortSignal): Promise<Comparison> {
  const ahead = begun?.key === keyOf(id, from, to) ? begun.answer : undefined;
  begun = undefined;
  return ahead ?? read(id, from, to, signal);
}

/** What was asked for by one key is nothing to the next. */
function keyOf(id: string, from: number, to: number): string {
  return `${credential.get().signIns} ${id} ${from} ${to}`;
}

/** The two revisions in an address. */
export function ends(route: Route): { from: number | undefined; to: number | undefined } {
  return { from: number(route.query.get("from")), to: number(route.query.get("to")) };
}

function number(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}

async function read(id: string, from: number, to: number, signal?: AbortSignal): Promise<Comparison> {
  const asked = { params: { id }, query: { from, to }, ...(signal && { signal }) };
  return (await call("get", "/packs/{id}/diff", asked)).body as Comparison;
}
