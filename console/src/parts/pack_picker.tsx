import { useEffect, useState } from "preact/hooks";
import { call, type Pack } from "../api.ts";
import { Visible } from "../content/visible.tsx";
import { Button, ErrorNotice, Field, useLoad } from "../ui/index.ts";

interface Props {
  label: string;
  hint?: string;
  error?: string | undefined;
  /** The packs that are chosen already, by their ids. */
  chosen: readonly string[];
  onPick: (pack: Pack) => void;
}

const PACK_ID = /^pack_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const PAUSE_MS = 200;

/** Find a pack by words or by its id, and pick it. */
export function PackPicker({ label, hint, error, chosen, onPick }: Props) {
  const [text, setText] = useState("");
  const wanted = useSettled(text.trim());
  const found = useLoad(async (signal) => (wanted === "" ? undefined : packsFor(wanted, signal)), [wanted]);
  const packs = wanted === "" ? undefined : found.data;
  return (
    <div class="stack close">
      <Field label={label} {...(hint === undefined ? {} : { hint })} error={error}>
        <input
          type="search"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          // Enter would send the form around this field, which is not what somebody who searches means.
          onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        />
      </Field>
      {wanted !== "" && found.error !== undefined && <ErrorNotice error={found.error} onRetry={found.reload} />}
      <p class="unseen" role="status">{packs && !found.loading && `${packs.length} found`}</p>
      {packs && packs.length === 0 && !found.loading && <p class="hint">No pack that you can see matches.</p>}
      {packs && packs.length > 0 && (
        <ul class="picks" aria-label="Found packs">
          {packs.map((pack) => (
            <li key={pack.id} class="row ends">
              <span>
                <strong><Visible text={pack.display_name} /></strong> <code>{pack.name}</code> {pack.version}
                {!pack.owned && <span class="muted"> · of another organisation</span>}
              </span>
              {chosen.includes(pack.id) ? (
                <span class="muted">chosen</span>
              ) : (
                <Button aria-label={`Add ${pack.name}`} onClick={() => onPick(pack)}>Add</Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

async function packsFor(wanted: string, signal: AbortSignal): Promise<readonly Pack[]> {
  if (PACK_ID.test(wanted)) {
    const { body } = await call("get", "/packs/{id}", { params: { id: wanted }, signal });
    return [body];
  }
  const { body } = await call("get", "/packs", { query: { search: wanted, limit: 8 }, signal });
  return body.packs;
}

/** A text once it has stayed the same for a moment, so that not every letter is a request. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
