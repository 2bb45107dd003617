import { useEffect, useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { Visible } from "../content/visible.tsx";
import { Command } from "../parts/command.tsx";
import { EVENT_TYPES, type EventType } from "../parts/event_types.ts";
import { given } from "../parts/lists.ts";
import { go, link, type Route } from "../router.ts";
import { Button, Copy, Empty, ErrorNotice, Field, Loading, Page, Time, useLoad } from "../ui/index.ts";

type Event = Schemas["Event"];

const FILTERS = ["type", "pack_id", "role_id", "actor"] as const;
type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

const PAGE = 50;

export default function Events({ route }: { route: Route }) {
  const filters = given(Object.fromEntries(FILTERS.map((name) => [name, route.query.get(name) ?? undefined]))) as Filters;
  const cursor = route.query.get("cursor") ?? undefined;
  const asked = JSON.stringify({ filters, cursor });
  const { data, error, loading, reload } = useLoad((signal) => readEvents(filters, cursor, signal), [asked]);
  return (
    <Page title="Events" beside={<Button busy={loading} onClick={reload}>Look again</Button>}>
      <p class="muted">Every accepted change, the newest first. An event is listed when it is ten seconds old.</p>
      <FilterForm filters={filters} />
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data && <EventList events={data.events} older={data.next_cursor} filtered={Object.keys(filters).length > 0} />}
      {data && (
        <nav class="row" aria-label="Pages">
          {cursor !== undefined && <a href={link(["events"], filters)}>Newest events</a>}
          {data.next_cursor !== undefined && (
            <a href={link(["events"], { ...filters, cursor: data.next_cursor })}>Older events</a>
          )}
        </nav>
      )}
    </Page>
  );
}

async function readEvents(filters: Filters, cursor: string | undefined, signal: AbortSignal) {
  // Whether an address names a type that exists is for the service to say.
  const query = { limit: PAGE, ...given({ ...filters, type: filters.type as EventType | undefined, cursor }) };
  return (await call("get", "/events", { query, signal })).body;
}

function FilterForm({ filters }: { filters: Filters }) {
  const [typed, setTyped] = useState<Filters>(filters);
  // The way back in the browser's history changes the filters too. The form stays, and the focus with it.
  useEffect(() => setTyped(filters), [JSON.stringify(filters)]);
  const set = (name: keyof Filters, value: string) => setTyped({ ...typed, [name]: value });
  const text = (name: keyof Filters, label: string) => (
    <Field label={label}>
      <input
        value={typed[name] ?? ""}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => set(name, event.currentTarget.value.trim())}
      />
    </Field>
  );
  const show = (event: globalThis.Event) => {
    event.preventDefault();
    go(["events"], typed);
  };
  return (
    <search>
      <form class="row" onSubmit={show}>
        <Field label="Type">
          <select value={typed.type ?? ""} onChange={(event) => set("type", event.currentTarget.value)}>
            <option value="">All types</option>
            {EVENT_TYPES.map((type) => <option key={type} value={type}>{type}</option>)}
          </select>
        </Field>
        {text("pack_id", "Pack’s id")}
        {text("role_id", "Role")}
        {text("actor", "Actor")}
        <Button type="submit">Filter</Button>
        {Object.keys(filters).length > 0 && <a href={link(["events"])}>Clear filters</a>}
      </form>
    </search>
  );
}

function EventList(props: { events: readonly Event[]; older: string | undefined; filtered: boolean }) {
  const { events, older, filtered } = props;
  if (events.length > 0) {
    return (
      <ol class="timeline" aria-label="Events, the newest first">
        {events.map((event) => <Entry key={event.id} event={event} />)}
      </ol>
    );
  }
  // With several filters the service may answer an empty page although others follow.
  if (older !== undefined) return <p>None on this page, but older ones may match.</p>;
  if (filtered) return <Empty title="No event matches these filters." />;
  return (
    <Empty title="Nothing has happened yet.">
      <p>
        <a href={link(["upload"])}>Upload a pack</a>, and its event is here ten seconds later. From a terminal:
      </p>
      <Command text="packyard events --follow" />
    </Empty>
  );
}

function Entry({ event }: { event: Event }) {
  const about = event.pack_id ?? event.role_id;
  return (
    <li class="stack close">
      <p class="row">
        <strong><code>{event.type}</code></strong>
        {event.pack_id && (
          <a href={link(["packs", event.pack_id])}><Visible text={nameIn(event) ?? event.pack_id} /></a>
        )}
        {event.role_id && <a href={link(["roles", event.role_id])}>role {event.role_id}</a>}
        {about === undefined && nameIn(event) && <span><Visible text={nameIn(event) ?? ""} /></span>}
        {event.revision !== undefined && <span>revision {event.revision}</span>}
      </p>
      <p class="small-text">
        <Time at={event.at} /> by <a href={link(["events"], { actor: event.actor })}><code>{event.actor}</code></a>
      </p>
      <details>
        <summary>All of it</summary>
        <dl class="facts">
          <dt>Event</dt>
          <dd><code>{event.id}</code> <Copy text={event.id} what="the event’s id" /></dd>
          <dt>At</dt>
          <dd>{event.at}</dd>
          <dt>Request</dt>
          <dd><code>{event.request_id}</code> <Copy text={event.request_id} what="the request id" /></dd>
          {event.pack_id && <><dt>Pack</dt><dd><code>{event.pack_id}</code></dd></>}
        </dl>
        <pre class="event-data" tabIndex={0} aria-label="Data of the event"><Visible text={JSON.stringify(event.data, null, 2)} /></pre>
      </details>
    </li>
  );
}

/** What the event is about, by the name that its data have. */
function nameIn({ data }: Event): string | undefined {
  const found = [data["name"], data["label"], data["pack_name"], data["pack"], data["slug"], data["url"]].find((value) => typeof value === "string");
  return found as string | undefined;
}
