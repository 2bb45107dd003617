import { useLayoutEffect, useRef } from "preact/hooks";
import { partFrontMatter } from "./front_matter.ts";
import { rendered } from "./markdown.ts";
import { Visible } from "./visible.tsx";

/** A Markdown file of a pack: its front matter as fields, and the rest rendered. */
export function MarkdownView({ markdown }: { markdown: string }) {
  const box = useRef<HTMLDivElement>(null);
  const { fields, body } = partFrontMatter(markdown);
  useLayoutEffect(() => box.current?.replaceChildren(rendered(body)), [body]);
  return (
    <>
      {fields.length > 0 && (
        <dl class="facts front-matter">
          {fields.flatMap(([name, value], index) => [
            <dt key={`name-${index}`}><Visible text={name} /></dt>,
            <dd key={`value-${index}`}><Visible text={value} /></dd>,
          ])}
        </dl>
      )}
      <div class="markdown" ref={box} />
    </>
  );
}
