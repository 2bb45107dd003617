import { useId } from "preact/hooks";

interface Props<Name extends string> {
  legend: string;
  hint?: string;
  error?: string | undefined;
  options: readonly { name: Name; text?: string }[];
  chosen: readonly Name[];
  onChange: (chosen: Name[]) => void;
}

/** Several of some choices. */
export function Checks<Name extends string>({ legend, hint, error, options, chosen, onChange }: Props<Name>) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const set = (name: Name, on: boolean) => {
    onChange(options.map((option) => option.name).filter((each) => (each === name ? on : chosen.includes(each))));
  };
  return (
    <fieldset class="checks" aria-describedby={described || undefined}>
      <legend>{legend}</legend>
      {hint && <p id={`${id}-hint`} class="hint">{hint}</p>}
      {options.map(({ name, text }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) => set(name, event.currentTarget.checked)}
          />
          {text === undefined ? <code>{name}</code> : <span><code>{name}</code> <span class="muted">{text}</span></span>}
        </label>
      ))}
      {error && <p id={`${id}-error`} class="field-error">{error}</p>}
    </fieldset>
  );
}
