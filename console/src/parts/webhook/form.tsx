import { useState } from "preact/hooks";
import type { Schemas } from "../../api.ts";
import { Button, ErrorNotice, Field } from "../../ui/index.ts";
import { useAction } from "../action.ts";
import { Checks } from "../checks.tsx";
import { ChosenPacks } from "../chosen_packs.tsx";
import { EVENT_TYPES, type EventType } from "../event_types.ts";
import { PackPicker } from "../pack_picker.tsx";

type Webhook = Schemas["Webhook"];

export interface WebhookChoice {
  url: string;
  types: EventType[];
  pack_ids: string[];
  description: string;
}

interface Props {
  /** What is changed; undefined for a new one. */
  webhook?: Webhook;
  act: string;
  /** Where to go without saving. */
  leave: string;
  save: (choice: WebhookChoice) => Promise<void>;
}

/** Where to send which events. */
export function WebhookForm({ webhook, act, leave, save }: Props) {
  const [url, setUrl] = useState(webhook?.url ?? "");
  const [description, setDescription] = useState(webhook?.description ?? "");
  const [types, setTypes] = useState<EventType[]>(webhook?.types ?? []);
  const [packs, setPacks] = useState<readonly string[]>(webhook?.pack_ids ?? []);
  const action = useAction();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(() => save({ url: url.trim(), types, pack_ids: [...packs], description: description.trim() }));
  };
  return (
    <form onSubmit={submit} noValidate>
      <Field label="URL" hint="https, at a public address" error={action.fault("url")}>
        <input
          type="url"
          value={url}
          autocomplete="off"
          placeholder="https://example.com/packyard"
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
      </Field>
      <Field label="Description (optional)" error={action.fault("description")}>
        <input value={description} maxLength={200} onInput={(event) => setDescription(event.currentTarget.value)} />
      </Field>
      <Checks
        legend="Types of events"
        hint="None of these: all types"
        error={action.fault("types")}
        options={EVENT_TYPES.map((name) => ({ name }))}
        chosen={types}
        onChange={setTypes}
      />
      <PackPicker
        label="Only events of these packs (optional)"
        error={action.fault("pack_ids")}
        chosen={packs}
        onPick={(pack) => setPacks([...packs, pack.id])}
      />
      <ChosenPacks packs={packs} onChange={setPacks} />
      {action.error !== undefined && (
        <ErrorNotice error={action.error} except={["url", "description", "types", "pack_ids"]} />
      )}
      <div class="row">
        <Button kind="primary" type="submit" busy={action.busy}>{act}</Button>
        <a href={leave}>Leave it</a>
      </div>
    </form>
  );
}
