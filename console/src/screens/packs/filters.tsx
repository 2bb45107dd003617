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
/** Shorter than between two keys of somebody who types quickly. */
const PAUSE_MS = 50;

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
            <option value="true">Your organisation</option>
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

/** An input whose value goes into the address when one stops typing for a moment. */
function Typed(props: { label: string; name: "search" | "category"; route: Route; wide?: boolean }) {
  const { label, name, route, wide = false } = props;
  const stands = route.query.get(name) ?? "";
  const [typed, setTyped] = useState(stands);
  const sent = useRef(stands);
  useEffect(() => {
    // The address has changed by something else, such as the way back: it wins.
    if (stands !== sent.current) {
      sent.current = stands;
      setTyped(stands);
    }
  }, [stands]);
  useEffect(() => {
    // A space more or less finds the same, so it is no reason to ask again.
    const next = typed.trim();
    if (next === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = next;
      replaceQuery({ [name]: next, cursor: undefined });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <Field label={label} wide={wide}>
      <input
        type="search"
        autocomplete="off"
        spellcheck={false}
        maxLength={name === "search" ? 200 : 64}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </Field>
  );
}
