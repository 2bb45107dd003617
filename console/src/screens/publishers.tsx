import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { Command } from "../parts/command.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Listed } from "../parts/listed.tsx";
import { pageQuery } from "../parts/lists.ts";
import { PublisherForm } from "../parts/publisher_form.tsx";
import { go, link, type Route } from "../router.ts";
import { Button, Empty, Notice, Page, Table, Time, usePages } from "../ui/index.ts";

type Publisher = Schemas["TrustedPublisher"];

export default function Publishers({ route }: { route: Route }) {
  const adding = route.query.has("new");
  const [added, setAdded] = useState<Publisher>();
  const [removing, setRemoving] = useState<Publisher>();
  const publishers = usePages(async (cursor, signal) => {
    const { body } = await call("get", "/trusted-publishers", { query: pageQuery(cursor), signal });
    return { items: body.publishers, next: body.next_cursor };
  }, []);
  return (
    <Page
      title="Trusted publishers"
      beside={!adding && <Button kind="primary" onClick={() => go(["publishers"], { new: "1" })}>Add a publisher</Button>}
    >
      <p class="muted">Whose CI may publish a pack, without a stored secret.</p>
      {added && (
        <Notice tone="success" title={`${added.issuer} may publish ${added.pack_name}.`}>
          <p>In the job of that CI, with an id token (docs/use/publishers.md has the workflow):</p>
          <Command text="packyard push FOLDER" />
        </Notice>
      )}
      {adding && (
        <PublisherForm
          onAdded={(publisher) => {
            setAdded(publisher);
            go(["publishers"]);
            publishers.reload();
          }}
        />
      )}
      <Listed pages={publishers} empty={<NoPublishers />}>
        {(items) => <PublisherTable publishers={items} onRemove={setRemoving} />}
      </Listed>
      {removing && (
        <Confirm
          title={`Remove this publisher of ${removing.pack_name}?`}
          act="Remove publisher"
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            await call("delete", "/trusted-publishers/{publisher_id}", { params: { publisher_id: removing.id } });
            publishers.reload();
          }}
        >
          <p>Keys that its jobs have got before work until they end, for at most 15 minutes.</p>
        </Confirm>
      )}
    </Page>
  );
}

function PublisherTable(props: { publishers: readonly Publisher[]; onRemove: (publisher: Publisher) => void }) {
  return (
    <Table
      caption="Trusted publishers"
      rows={props.publishers}
      rowKey={(publisher) => publisher.id}
      columns={[
        { title: "Pack", names: true, cell: (publisher) => publisher.pack_name },
        { title: "Issuer", cell: (publisher) => publisher.issuer_url ?? publisher.issuer },
        { title: "Claims", cell: (publisher) => <Claims publisher={publisher} /> },
        { title: "Events", cell: (publisher) => publisher.events?.join(", ") ?? "the usual ones" },
        { title: "Added", cell: (publisher) => <><Time at={publisher.created_at} /> by <code>{publisher.created_by}</code></> },
        { title: "Ends", cell: (publisher) => (publisher.expires_at ? <Time at={publisher.expires_at} /> : "never") },
        {
          title: "Actions",
          acts: true,
          cell: (publisher) => (
            <Button
              kind="danger"
              aria-label={`Remove the publisher of ${publisher.pack_name}`}
              onClick={() => props.onRemove(publisher)}
            >
              Remove
            </Button>
          ),
        },
      ]}
    />
  );
}

function Claims({ publisher }: { publisher: Publisher }) {
  const pinned = Object.entries(publisher.pinned ?? {}).filter(([name]) => !(name in publisher.claims));
  return (
    <ul>
      {Object.entries(publisher.claims).map(([name, value]) => <li key={name}><code>{name}={value}</code></li>)}
      {pinned.map(([name, value]) => (
        <li key={name}><code>{name}={value}</code> <span class="muted">from the first token</span></li>
      ))}
    </ul>
  );
}

function NoPublishers() {
  return (
    <Empty title="No CI may publish your packs yet.">
      <p><a href={link(["publishers"], { new: "1" })}>Add a publisher</a>, or from a terminal:</p>
      <Command text="packyard publishers add PACK --github OWNER/REPOSITORY --workflow release.yml" />
    </Empty>
  );
}
