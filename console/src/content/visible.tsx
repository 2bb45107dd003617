import { visibleParts } from "./invisible.ts";

/** A text that somebody else wrote, isolated from the direction of what stands around it. */
export function Visible({ text }: { text: string }) {
  return (
    <bdi>
      {visibleParts(text).map((part, index) =>
        part.invisible ? <span key={index} class="invisible">{part.text}</span> : part.text,
      )}
    </bdi>
  );
}
