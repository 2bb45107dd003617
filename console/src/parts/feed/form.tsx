import { useState } from "preact/hooks";
import { base, call, type Schemas } from "../../api.ts";
import { link } from "../../router.ts";
import { Button, ErrorNotice, Field } from "../../ui/index.ts";
import { useAction } from "../action.ts";
import { ChosenPacks } from "../chosen_packs.tsx";
import { Lifetime, lifetimeSeconds } from "../lifetime.tsx";
import { given } from "../lists.ts";
import { useOnce } from "../once.ts";
import { PackPicker } from "../pack_picker.tsx";

type Made = Schemas["MadeFeed"];

interface Props {
  /** What the address of the screen asks for. */
  role: string | undefined;
  pack: string | undefined;
  onMade: (feed: Made) => void;
}

/** Say what a feed serves: a role's pins, or the current revisions of some packs. */
export function FeedForm({ role: askedRole, pack: askedPack, onMade }: Props) {
  const [ofRole, setOfRole] = useState(askedPack === undefined);
  const [role, setRole] = useState(askedRole ?? "");
  const [packs, setPacks] = useState<readonly string[]>(askedPack === undefined ? [] : [askedPack]);
  const [label, setLabel] = useState("");
  const [days, setDays] = useState("");
  const action = useAction();
  const once = useOnce();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      const body = {
        ...(ofRole ? { role_id: role.trim() } : { pack_ids: [...packs] }),
        ...given({ label: label.trim(), expires_in: lifetimeSeconds(days) }),
      };
      const { body: feed } = await call("post", "/feeds", { body, headers: once.headers(body) });
      once.done();
      onMade({ ...feed, url: reachable(feed.url) });
    });
  };
  return (
    <section class="card">
      <h2>A new feed</h2>
      <form onSubmit={submit} noValidate>
        <fieldset>
          <legend>It serves</legend>
          <label>
            <input type="radio" name="serves" checked={ofRole} onChange={() => setOfRole(true)} />
            a role, at the revisions that it pins
          </label>
          <label>
            <input type="radio" name="serves" checked={!ofRole} onChange={() => setOfRole(false)} />
            packs, at their current revisions
          </label>
        </fieldset>
        {ofRole ? (
          <Field label="Role" error={action.fault("role_id")}>
            <input value={role} autocomplete="off" spellcheck={false} onInput={(event) => setRole(event.currentTarget.value)} />
          </Field>
        ) : (
          <>
            <PackPicker
              label="Add a pack"
              error={action.fault("pack_ids")}
              chosen={packs}
              onPick={(pack) => setPacks([...packs, pack.id])}
            />
            <ChosenPacks packs={packs} onChange={setPacks} />
          </>
        )}
        <Field label="Label (optional)" hint="A name for people: who uses it" error={action.fault("label")}>
          <input value={label} maxLength={120} autocomplete="off" onInput={(event) => setLabel(event.currentTarget.value)} />
        </Field>
        <Lifetime
          days={days}
          otherwise="until you revoke it, or the key that you are signed in with ends"
          error={action.fault("expires_in")}
          onChange={setDays}
        />
        {action.error !== undefined && (
          <ErrorNotice error={action.error} except={["role_id", "pack_ids", "label", "expires_in"]} />
        )}
        <div class="row">
          <Button kind="primary" type="submit" busy={action.busy}>Make the feed</Button>
          <a href={link(["feeds"])}>Make none</a>
        </div>
      </form>
    </section>
  );
}

/** The gateway of a local stack does not know its own address. It is where this page has just reached it. */
function reachable(url: string): string {
  if (url.startsWith("https://")) return url;
  const secret = url.replace(/\/+$/, "").split("/").pop() ?? "";
  return new URL(`f/${encodeURIComponent(secret)}/`, base()).href;
}
