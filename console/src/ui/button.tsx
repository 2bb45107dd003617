import type { ComponentChildren, JSX } from "preact";

interface Props extends Omit<JSX.HTMLAttributes<HTMLButtonElement>, "class"> {
  kind?: "primary" | "plain" | "danger";
  /** Something is under way: the button cannot be pressed again, and says so. */
  busy?: boolean;
  disabled?: boolean;
  type?: "button" | "submit";
  children: ComponentChildren;
}

export function Button({ kind = "plain", busy = false, disabled = false, type = "button", ...rest }: Props) {
  return <button {...rest} type={type} class={`button ${kind}`} disabled={disabled || busy} aria-busy={busy} />;
}
