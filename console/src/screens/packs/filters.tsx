import { useEffect, useRef, useState } from "preact/hooks";
import type { Schemas } from "../../api.ts";
import { type Route, replaceQuery } from "../../router.ts";
import { Field } from "../../ui/index.ts";

/** What the list is asked for, as the service's query has it. */
export type Wanted = {
  search?: string;
  owned?: boolean;
  tier?: Schemas["Tier"];
  category?: string;
};

const TIERS: readonly Schemas["Tier"][] = ["recommended", "verified", "community"];
/** Between two changes of the address: browsers refuse more than ten in a second. */
const PAUSE_MS = 100;

/** Read the filters of an address; what it does not know is left out. */
export function wanted(query: URLSearchParams): Wanted {
  const found: Wanted = {};
  const search = query.get("search")?.trim();
  const tier = TIERS.find((each) => each === query.get("tier"));
  const owned = query.get("owned");
  const category = query.get("category");
  if (search) found.search = search;
  if (owned === "true" || owned === "false") found.owned = owned === "true";
  if (tier) found.tier = tier;
  if (category) found.category = category;
  return found;
}

export function Filters({ route }: { route: Route }) {
  const change = (name: keyof Wanted) => (event: { currentTarget: HTMLSelectElement }) =>
    replaceQuery({ [name]: event.currentTarget.value, cursor: undefined });
  return (
    <search>
      <form class="row" onSubmit={(event) => event.preventDefault()}>
        <Typed label="Search packs" name="search" route={route} wide />
        <Field label="Owner">
          <select value={route.query.get("owned") ?? ""} onChange={change("owned")}>
            <option value="">All</option>
            <option value="true">Yours</option>
            <option value="false">Others</option>
          </select>
        </Field>
        <Field label="Tier">
          <select value={route.query.get("tier") ?? ""} onChange={change("tier")}>
            <option value="">All</option>
            {TIERS.map((tier) => <option key={tier} value={tier}>{tier}</option>)}
          </select>
        </Field>
        <Typed label="Category" name="category" route={route} />
      </form>
    </search>
  );
}

/** An input whose value goes into the address as one types. */
function Typed(props: { label: string; name: "search" | "category"; route: Route; wide?: boolean }) {
  const { label, name, route, wide = false } = props;
  const stands = route.query.get(name) ?? "";
  const [typed, setTyped] = useState(stands);
  const sent = useRef({ text: stands, at: 0 });
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => {
    // The address has changed by something else, such as the way back: it wins.
    if (stands !== sent.current.text) {
      sent.current.text = stands;
      setTyped(stands);
    }
  }, [stands]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const send = (text: string) => {
    sent.current = { text, at: performance.now() };
    replaceQuery({ [name]: text, cursor: undefined });
  };
  const take = (input: HTMLInputElement) => {
    setTyped(input.value);
    clearTimeout(timer.current);
    // A space more or less finds the same, so it is no reason to ask again.
    const text = input.value.trim();
    const wait = sent.current.at + PAUSE_MS - performance.now();
    if (text === sent.current.text) return;
    if (wait > 0) timer.current = setTimeout(send, wait, text);
    else send(text);
  };
  return (
    <Field label={label} wide={wide}>
      <input
        type="search"
        autocomplete="off"
        spellcheck={false}
        maxLength={name === "search" ? 200 : 64}
        value={typed}
        onInput={(event) => take(event.currentTarget)}
      />
    </Field>
  );
}
