import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Pack } from "../../api.ts";
import { Asking, type Shown } from "./asking.ts";
import { follows } from "./found.ts";

/** A service that answers when it is told to. */
function service() {
  const asked: string[] = [];
  const waiting = new Map<string, { answer: (text: string) => void; signal: AbortSignal }>();
  const shown: Shown<string, string>[] = [];
  const asking = new Asking<string, string>({
    keyOf: (question) => question,
    ask: (question, signal) => {
      asked.push(question);
      return new Promise((answer) => waiting.set(question, { answer, signal }));
    },
    follows: (question, from) => (from.answer === "none" && question.startsWith(from.question) ? "none" : undefined),
    show: (each) => shown.push(each),
  });
  return { asking, asked, shown, waiting, last: () => shown.at(-1)?.last };
}

async function answered({ waiting }: ReturnType<typeof service>, question: string, answer = `packs of ${question}`) {
  waiting.get(question)?.answer(answer);
  await vi.advanceTimersByTimeAsync(0);
}

describe("somebody who types", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test("waits for one answer at a time, and what comes next is the latest", async () => {
    const it = service();
    for (const text of ["s", "sl", "sla"]) it.asking.want(text);
    expect(it.asked).toEqual(["s"]);
    await answered(it, "s");
    expect(it.asked).toEqual(["s", "sla"]);
    expect(it.shown.at(-1)).toMatchObject({ last: { question: "s" }, loading: true });
    await answered(it, "sla");
    expect(it.shown.at(-1)).toEqual({ last: { question: "sla", answer: "packs of sla" }, loading: false });
  });

  test("does not wait long for an answer that nobody needs", async () => {
    const it = service();
    it.asking.want("s");
    it.asking.want("sl");
    await vi.advanceTimersByTimeAsync(300);
    expect(it.asked).toEqual(["s", "sl"]);
    expect(it.waiting.get("s")?.signal.aborted).toBe(true);
    await answered(it, "s");
    expect(it.last()).toBeUndefined();
  });

  test("is not asked for what is known, or follows from it, until it is old", async () => {
    const it = service();
    it.asking.want("z");
    await answered(it, "z", "none");
    it.asking.want("zz");
    expect(it.last()).toEqual({ question: "zz", answer: "none" });
    it.asking.want("z");
    expect(it.asked).toEqual(["z"]);
    await vi.advanceTimersByTimeAsync(31_000);
    it.asking.want("zz");
    expect(it.asked).toEqual(["z", "zz"]);
  });
});

describe("no pack with some words", () => {
  const none = { packs: [] };
  const from = (question: object, answer: object = none) => ({ question, answer: answer as typeof none });

  test("means none with more", () => {
    expect(follows({ search: "post mes" }, from({ search: "post" }))).toEqual(none);
    expect(follows({ search: "xyz", tier: "verified" }, from({ search: "xy", tier: "verified" }))).toEqual(none);
  });

  test.each([
    ["other filters", { search: "xyz", tier: "verified" }, from({ search: "xy" })],
    ["other words", { search: "ab" }, from({ search: "b" })],
    ["no words before", { search: "a" }, from({ tier: "verified" })],
    ["packs", { search: "xyz" }, from({ search: "xy" }, { packs: [{} as Pack] })],
    ["further pages", { search: "xyz" }, from({ search: "xy" }, { packs: [], next_cursor: "c" })],
    ["letters that can merge", { search: "a\u0308" }, from({ search: "a" })],
    ["more words than the service takes", { search: "a b c d e f g h i" }, from({ search: "a" })],
  ] as const)("says nothing beside %s", (_, question, before) => {
    expect(follows(question, before)).toBeUndefined();
  });
});
