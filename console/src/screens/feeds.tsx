import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { Command } from "../parts/command.tsx";
import { DoorCommands } from "../parts/feed/door_commands.tsx";
import { FeedForm } from "../parts/feed/form.tsx";
import { Listed } from "../parts/listed.tsx";
import { counted, pageQuery } from "../parts/lists.ts";
import { Secret } from "../parts/secret.tsx";
import { go, link, type Route } from "../router.ts";
import { Badge, Button, Empty, Page, Table, Time, usePages } from "../ui/index.ts";

type Feed = Schemas["Feed"];
type Made = Schemas["MadeFeed"];

export default function Feeds({ route }: { route: Route }) {
  const making = route.query.has("new");
  const [made, setMade] = useState<Made>();
  const feeds = usePages(async (cursor, signal) => {
    const { body } = await call("get", "/feeds", { query: pageQuery(cursor), signal });
    return { items: body.feeds, next: body.next_cursor };
  }, []);
  return (
    <Page
      title="Feeds"
      beside={!making && <Button kind="primary" onClick={() => go(["feeds"], { new: "1" })}>Make a feed</Button>}
    >
      <p class="muted">
        A read-only address of packs, for agents’ own clients that cannot send a credential. Treat it like a password.
      </p>
      {made && (
        <Secret title="The address of the feed" what="the address" text={made.url} onDone={() => setMade(undefined)}>
          <DoorCommands url={made.url} />
        </Secret>
      )}
      {making && (
        <FeedForm
          role={route.query.get("role") ?? undefined}
          pack={route.query.get("pack") ?? undefined}
          onMade={(feed) => {
            setMade(feed);
            go(["feeds"]);
            feeds.reload();
          }}
        />
      )}
      <Listed pages={feeds} empty={<NoFeeds />}>
        {(items) => <FeedTable feeds={items} />}
      </Listed>
    </Page>
  );
}

function FeedTable({ feeds }: { feeds: readonly Feed[] }) {
  return (
    <Table
      caption="Feeds"
      rows={feeds}
      rowKey={(feed) => feed.id}
      columns={[
        { title: "Feed", names: true, cell: (feed) => <a href={link(["feeds", feed.id])}>{feed.label ?? feed.id}</a> },
        {
          title: "Serves",
          cell: (feed) =>
            feed.role_id === undefined ? (
              counted(feed.pack_ids?.length ?? 0, "pack")
            ) : (
              <>the role <a href={link(["roles", feed.role_id])}>{feed.role_id}</a></>
            ),
        },
        { title: "Made", cell: (feed) => <><Time at={feed.created_at} /> by <code>{feed.created_by}</code></> },
        { title: "Ends", cell: (feed) => <Ends at={feed.expires_at} /> },
      ]}
    />
  );
}

function Ends({ at }: { at: string | undefined }) {
  if (at === undefined) return <>when you revoke it</>;
  return Date.parse(at) < Date.now() ? <><Badge>expired</Badge> <Time at={at} /></> : <Time at={at} />;
}

function NoFeeds() {
  return (
    <Empty title="No feeds yet.">
      <p><a href={link(["feeds"], { new: "1" })}>Make one</a>, and get the command for each client. From a terminal:</p>
      <Command text="packyard feeds create --role ROLE" />
    </Empty>
  );
}
