import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Visible } from "../content/visible.tsx";

interface Props {
  title: string;
  /** What stands beside the heading, such as the screen's main action. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}

/** A screen: its heading takes the focus when one comes here, from another screen or the sign-in, to be read out. */
export function Page({ title, beside, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Packyard`;
  }, [title]);
  useEffect(() => heading.current?.focus(), []);
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
