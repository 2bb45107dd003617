import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Visible } from "../content/visible.tsx";

interface Props {
  title: string;
  /** What stands beside the heading, such as the screen's main action. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}

let first = true;

/** A screen: its heading takes the focus when one comes here from another screen, so that it is read out. */
export function Page({ title, beside, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Packyard`;
  }, [title]);
  useEffect(() => {
    // At the first screen nobody has navigated: the focus stays where the browser puts it.
    if (!first) heading.current?.focus();
    first = false;
  }, []);
  return (
    <>
      <div class="page-head">
        <h1 ref={heading} tabIndex={-1}><Visible text={title} /></h1>
        {beside}
      </div>
      {children}
    </>
  );
}
