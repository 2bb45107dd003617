import { Button } from "../ui/index.ts";
import { usePackNames } from "./pack_names.ts";

interface Props {
  /** Ids. */
  packs: readonly string[];
  onChange: (packs: readonly string[]) => void;
}

/** Packs that a form has picked, each with a button that leaves it out again. */
export function ChosenPacks({ packs, onChange }: Props) {
  const names = usePackNames(packs);
  if (packs.length === 0) return null;
  return (
    <ul class="stack close" aria-label="Chosen packs">
      {packs.map((id) => (
        <li key={id} class="row">
          <span>{names.get(id) ?? id}</span>
          <Button
            aria-label={`Leave out ${names.get(id) ?? id}`}
            onClick={() => onChange(packs.filter((other) => other !== id))}
          >
            Leave out
          </Button>
        </li>
      ))}
    </ul>
  );
}
