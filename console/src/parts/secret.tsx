import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button, CopyLine } from "../ui/index.ts";

interface Props {
  title: string;
  /** What it is, for the copy button: "the key". */
  what: string;
  text: string;
  children?: ComponentChildren;
  onDone: () => void;
}

/** A secret that the service tells once. It stays until the person says that it is kept. */
export function Secret({ title, what, text, children, onDone }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The form that asked for it is gone, and the focus with it.
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="notice success secret">
      <h2 ref={heading} tabIndex={-1}>{title}</h2>
      <p>It is shown this once. The service keeps only what it needs to recognise it.</p>
      <CopyLine text={text} what={what} />
      {children}
      <Button onClick={onDone}>I have kept it</Button>
    </section>
  );
}
