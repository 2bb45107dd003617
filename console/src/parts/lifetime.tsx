import { Field } from "../ui/index.ts";

const DAY = 86_400;

interface Props {
  /** How long, in days; empty for as long as the service allows. */
  days: string;
  /** What "as long as allowed" is. */
  otherwise: string;
  error?: string | undefined;
  onChange: (days: string) => void;
}

/** How long a credential lives. */
export function Lifetime({ days, otherwise, error, onChange }: Props) {
  return (
    <Field label="Days that it lives" hint={`Empty: ${otherwise}`} error={error}>
      <input
        inputMode="numeric"
        autocomplete="off"
        value={days}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  );
}

/** The seconds for a request. What is no number is sent as it is read, so that the service says what is wrong. */
export function lifetimeSeconds(days: string): number | undefined {
  const text = days.trim().replace(",", ".");
  return text === "" ? undefined : Math.round(Number(text) * DAY) || 0;
}
