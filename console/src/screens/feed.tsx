import { useState } from "preact/hooks";
import { base, call, type Schemas } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { DoorCommands } from "../parts/feed/door_commands.tsx";
import { counted } from "../parts/lists.ts";
import { usePackNames } from "../parts/pack_names.ts";
import { link, replace, type Route } from "../router.ts";
import { Button, ErrorNotice, Loading, Notice, Page, Time, useLoad } from "../ui/index.ts";

type FeedState = Schemas["FeedState"];
type Doors = Schemas["FeedDoors"];

const SECRET = "pyf_SECRET";

const DOORS: Readonly<Record<keyof Doors, string>> = {
  agent_skills: "Agent Skills",
  marketplace: "Claude Code",
  clawhub: "ClawHub",
  mcp: "MCP",
  skill_artifact: "Skill artifact",
};

export default function Feed({ route }: { route: Route }) {
  const id = route.path[1] ?? "";
  const { data, error, loading, reload } = useLoad((signal) => call("get", "/feeds/{feed_id}", { params: { feed_id: id }, signal }), [id]);
  const feed = data?.body;
  return (
    <Page title={feed?.label === undefined ? "Feed" : `Feed ${feed.label}`} beside={feed && <Revoke feed={feed} />}>
      <p><a href={link(["feeds"])}>All feeds</a></p>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {feed && <About feed={feed} onReload={reload} loading={loading} />}
    </Page>
  );
}

function About({ feed, onReload, loading }: { feed: FeedState; onReload: () => void; loading: boolean }) {
  const { doors, preparing = [] } = feed;
  const served = doors ? Object.values(doors).flatMap((door) => door.serves) : [];
  const names = usePackNames([...new Set([...(feed.pack_ids ?? []), ...served, ...preparing])].filter(isPackId).sort());
  return (
    <>
      {feed.role_gone && (
        <Notice tone="warning" title="Its role was deleted, so its address answers 404.">
          <p>Revoke it, or make the role again.</p>
        </Notice>
      )}
      <dl class="facts">
        <dt>Serves</dt>
        <dd>
          {feed.role_id === undefined ? (
            <PackList ids={feed.pack_ids ?? []} names={names} />
          ) : (
            <>the role <a href={link(["roles", feed.role_id])}>{feed.role_id}</a></>
          )}
        </dd>
        <dt>Made</dt>
        <dd><Time at={feed.created_at} /> by <code>{feed.created_by}</code></dd>
        <dt>Ends</dt>
        <dd>{feed.expires_at ? <Time at={feed.expires_at} /> : "when you revoke it"}</dd>
        <dt>Last used</dt>
        <dd>{feed.last_seen ? `${feed.last_seen}, from ${counted(feed.networks ?? 0, "network")}` : "not in 30 days"}</dd>
      </dl>
      <p class="hint">The address was shown when the feed was made. If it is lost, revoke this feed and make another.</p>
      <details>
        <summary>Commands for each client</summary>
        <p>Put the secret of the address, which begins with pyf_, in the place of <code>{SECRET}</code>.</p>
        <DoorCommands url={new URL(`f/${SECRET}/`, base()).href} />
      </details>
      {preparing.length > 0 && (
        <Notice title={`${counted(preparing.length, "pack")} will be there in a moment.`}>
          <PackList ids={preparing} names={names} />
          <Button busy={loading} onClick={onReload}>Look again</Button>
        </Notice>
      )}
      {doors && (
        <ul class="cards">
          {(Object.keys(DOORS) as (keyof Doors)[]).map((door) => (
            <li key={door} class="card"><Door title={DOORS[door]} state={doors[door]} names={names} /></li>
          ))}
        </ul>
      )}
    </>
  );
}

function Door(props: { title: string; state: Doors[keyof Doors]; names: ReadonlyMap<string, string> }) {
  const { serves, leaves_out: leavesOut } = props.state;
  return (
    <>
      <h2>{props.title}</h2>
      {serves.length === 0 ? <p>Serves nothing.</p> : <PackList ids={serves} names={props.names} />}
      {leavesOut.length > 0 && (
        <>
          <h3>Leaves out</h3>
          <ul>
            {leavesOut.map((left) => (
              <li key={left.pack_id}>
                <a href={link(["packs", left.pack_id])}>{left.name ? `${left.owner ?? "?"}/${left.name}` : left.pack_id}</a>: {left.reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function PackList({ ids, names }: { ids: readonly string[]; names: ReadonlyMap<string, string> }) {
  return (
    <ul>
      {ids.map((id) => (
        <li key={id}>{isPackId(id) ? <a href={link(["packs", id])}>{names.get(id) ?? id}</a> : id}</li>
      ))}
    </ul>
  );
}

function isPackId(id: string): boolean {
  return id.startsWith("pack_");
}

function Revoke({ feed }: { feed: FeedState }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button kind="danger" onClick={() => setAsking(true)}>Revoke feed</Button>
      {asking && (
        <Confirm
          title="Revoke this feed?"
          act="Revoke feed"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await call("delete", "/feeds/{feed_id}", { params: { feed_id: feed.id } });
            replace(["feeds"]);
          }}
        >
          <p>Its address is refused from the next request on. What clients have installed stays with them.</p>
        </Confirm>
      )}
    </>
  );
}
