import { cloneElement, type VNode } from "preact";
import { useId } from "preact/hooks";

interface Props {
  label: string;
  hint?: string;
  /** What the service, or the page, says is wrong with the value. */
  error?: string | undefined;
  /** In a row: take the room that is left. */
  wide?: boolean;
  /** One input, select or textarea. */
  children: VNode<any>;
}

/** A labelled input, with its hint and its error tied to it for those who do not see them beside it. */
export function Field({ label, hint, error, wide = false, children }: Props) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={wide ? "field wide" : "field"}>
      <label for={id}>{label}</label>
      {hint && <p id={`${id}-hint`} class="hint">{hint}</p>}
      {cloneElement(children, {
        id,
        "aria-describedby": described || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {error && <p id={`${id}-error`} class="field-error">{error}</p>}
    </div>
  );
}
