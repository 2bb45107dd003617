import { useState } from "preact/hooks";
import { link } from "../../router.ts";
import { Button, Dialog } from "../../ui/index.ts";
import { CapabilityChanges } from "../capabilities.tsx";
import { counted } from "../lists.ts";
import type { Difference } from "./role_state.ts";

interface Props {
  roleId: string;
  wanted: Readonly<Record<string, Difference>>;
  names: ReadonlyMap<string, string>;
  busy: boolean;
  /** Whether the packs that nobody agrees to can be left where they are. */
  each: boolean;
  /** Called with the revision that is agreed to, by pack. */
  onAgree: (accepted: Record<string, number>) => void;
  onClose: () => void;
}

/**
 * Ask for consent to what becomes allowed: these rules of these revisions, and nothing else.
 *
 * The service holds the consent against the revision that stands when it arrives. If the pack has moved on in the
 * meantime, it refuses, and this dialog shows the new difference, with nothing agreed to.
 */
export function Consent({ roleId, wanted, names, busy, each, onAgree, onClose }: Props) {
  const [agreed, setAgreed] = useState<readonly string[]>([]);
  const asked = Object.entries(wanted);
  const enough = each ? agreed.length > 0 : agreed.length === asked.length;
  const set = (id: string, on: boolean) => {
    setAgreed(on ? [...agreed, id] : agreed.filter((other) => other !== id));
  };
  return (
    <Dialog title="Allow more to this role?" onClose={onClose}>
      <p>
        The role <strong>{roleId}</strong> is unchanged so far. These revisions may do more than those that it pins now.
        Whoever agrees is named in the role’s history.
      </p>
      {asked.map(([id, difference]) => (
        <section key={id} class="card">
          <h3>{names.get(id) ?? id}</h3>
          <p class="small-text">
            Revision {difference.from} to {difference.to} ·{" "}
            <a href={link(["packs", id, "diff"], { from: difference.from, to: difference.to })}>see all that changes</a>
          </p>
          <CapabilityChanges change={difference} />
          {!difference.widened && <p>You agreed to another revision than the one that stands now.</p>}
          <label>
            <input
              type="checkbox"
              checked={agreed.includes(id)}
              onChange={(event) => set(id, event.currentTarget.checked)}
            />
            Allow exactly this, for revision {difference.to} of {names.get(id) ?? id}
          </label>
        </section>
      ))}
      {each && asked.length > 1 && <p class="hint">A pack that you do not agree to stays where it is.</p>}
      <div class="row">
        <Button
          kind="primary"
          busy={busy}
          disabled={!enough}
          onClick={() => onAgree(Object.fromEntries(agreed.map((id) => [id, (wanted[id] as Difference).to])))}
        >
          {each ? `Allow and move ${counted(agreed.length, "pin")}` : "Allow and save"}
        </Button>
        <Button onClick={onClose}>Change nothing</Button>
      </div>
    </Dialog>
  );
}
