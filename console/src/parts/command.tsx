import { CopyLine } from "../ui/index.ts";

/** A command of `packyard` that does the same from a terminal. */
export function Command({ text }: { text: string }) {
  return <CopyLine text={text} what={`the command ${text.split(" ").slice(0, 3).join(" ")}`} />;
}
