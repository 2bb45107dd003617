import type { ComponentChildren } from "preact";

export type Tone = "neutral" | "good" | "warning" | "danger" | "info";

/** A short mark. Its text says all: the colour only helps. */
export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}
