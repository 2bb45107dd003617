/** What the owner of a pack can do with it: show it to others, or delete it. */
import { useState } from "preact/hooks";
import { call, type Schemas } from "../../api.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { replace } from "../../router.ts";
import { Button, Field } from "../../ui/index.ts";
import type { ShownPack } from "./shown_pack.ts";

interface Props {
  pack: ShownPack;
  reload: () => void;
}

interface Sharing {
  readonly to: Schemas["Visibility"];
  readonly act: string;
  readonly means: string;
}

/** By the present visibility, what it can become. */
const SHARING: Readonly<Record<Schemas["Visibility"], Sharing>> = {
  org: {
    to: "community",
    act: "Share with all",
    means: "Every organisation on this service finds it, and can read, pin and clone it as it is now and as it will be.",
  },
  community: {
    to: "org",
    act: "Stop sharing",
    means: "Other organisations do not find it any more. Roles of theirs that pin it keep what they pin.",
  },
};

export function Manage({ pack, reload }: Props) {
  const [asking, setAsking] = useState<"sharing" | "deleting">();
  const [name, setName] = useState("");
  const close = () => setAsking(undefined);
  const params = { id: pack.id };
  const { to, act, means } = SHARING[pack.visibility];
  const share = async () => {
    await call("patch", "/packs/{id}", { params, body: { visibility: to } });
    reload();
  };
  const remove = async () => {
    await call("delete", "/packs/{id}", { params });
    replace(["packs"]);
  };
  return (
    <section class="stack close" aria-labelledby="manage">
      <h2 id="manage">Manage</h2>
      <p class="row">
        <Button onClick={() => setAsking("sharing")}>{act}</Button>
        <Button kind="danger" onClick={() => setAsking("deleting")}>Delete the pack</Button>
      </p>
      {asking === "sharing" && (
        <Confirm title={`${act}?`} act={act} onConfirm={share} onClose={close}><p>{means}</p></Confirm>
      )}
      {asking === "deleting" && (
        <Confirm
          title={`Delete ${pack.name}?`}
          act="Delete it"
          ready={name === pack.name}
          onConfirm={remove}
          onClose={close}
        >
          <p>All its revisions go, with their images and what was signed about them. This cannot be taken back.</p>
          <Field label={`To delete it, type its name: ${pack.name}`}>
            <input value={name} autocomplete="off" spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} />
          </Field>
        </Confirm>
      )}
    </section>
  );
}
