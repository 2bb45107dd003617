/**
 * Asking for what is being typed: one question at a time, and none whose answer is known.
 *
 * What is typed while a question is on its way is asked when its answer is there. So the service works on nothing that
 * nobody waits for, and each answer is shown. A question that takes long is given up for a newer one.
 */

export interface Asked<Question, Answer> {
  readonly question: Question;
  readonly answer: Answer;
}

export interface Shown<Question, Answer> {
  /** The last answer, with its question. While the next one is on its way it stays, so that the page does not jump. */
  readonly last?: Asked<Question, Answer> | undefined;
  readonly error?: unknown;
  readonly loading: boolean;
}

interface Rules<Question, Answer> {
  /** The same for questions that mean the same. */
  keyOf: (question: Question) => string;
  ask: (question: Question, signal: AbortSignal) => Promise<Answer>;
  /** The answer to a question that follows from another question's answer, if it does. */
  follows: (question: Question, from: Asked<Question, Answer>) => Answer | undefined;
  show: (shown: Shown<Question, Answer>) => void;
}

/** Between this and a newer question, an answer is waited for. */
const PATIENCE_MS = 250;
/** What was true a moment ago is taken to be true: somebody deletes a letter and types it again. */
const FRESH_MS = 30_000;

export class Asking<Question, Answer> {
  private readonly known = new Map<string, Asked<Question, Answer> & { at: number }>();
  private running: { key: string; began: number; stop: AbortController } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted: Question | undefined;
  private shown: Shown<Question, Answer> = { loading: true };

  constructor(private readonly rules: Rules<Question, Answer>) {}

  /** Show the answer to a question: at once if it is known, or as soon as it is there. */
  want(question: Question): void {
    this.wanted = question;
    clearTimeout(this.timer);
    const answer = this.recalled(question);
    if (answer !== undefined) return this.show({ last: { question, answer }, loading: false });
    this.show({ ...this.shown, error: undefined, loading: true });
    if (!this.running) void this.send(question);
    else if (this.running.key !== this.rules.keyOf(question)) {
      const waited = performance.now() - this.running.began;
      this.timer = setTimeout(() => void this.send(question), PATIENCE_MS - waited);
    }
  }

  /** Ask again for what is shown. */
  again(): void {
    this.known.clear();
    if (this.wanted !== undefined) this.want(this.wanted);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.running?.stop.abort();
    this.running = undefined;
  }

  private async send(question: Question): Promise<void> {
    this.running?.stop.abort();
    const stop = new AbortController();
    const key = this.rules.keyOf(question);
    this.running = { key, began: performance.now(), stop };
    let said: { answer: Answer } | { error: unknown };
    try {
      said = { answer: await this.rules.ask(question, stop.signal) };
    } catch (error) {
      said = { error };
    }
    if (stop.signal.aborted) return;
    this.running = undefined;
    const overtaken = this.wanted !== undefined && this.rules.keyOf(this.wanted) !== key;
    if ("answer" in said) {
      this.known.set(key, { question, answer: said.answer, at: performance.now() });
      this.show({ last: { question, answer: said.answer }, loading: overtaken });
    } else if (!overtaken) {
      this.show({ ...this.shown, error: said.error, loading: false });
    }
    if (overtaken && this.wanted !== undefined) this.want(this.wanted);
  }

  private recalled(question: Question): Answer | undefined {
    const now = performance.now();
    for (const [key, { at }] of this.known) if (now - at > FRESH_MS) this.known.delete(key);
    const same = this.known.get(this.rules.keyOf(question));
    if (same) return same.answer;
    for (const other of this.known.values()) {
      const answer = this.rules.follows(question, other);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  private show(shown: Shown<Question, Answer>): void {
    this.shown = shown;
    this.rules.show(shown);
  }
}
