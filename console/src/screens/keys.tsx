import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { useAction } from "../parts/action.ts";
import { Checks } from "../parts/checks.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Lifetime, lifetimeSeconds } from "../parts/lifetime.tsx";
import { Listed } from "../parts/listed.tsx";
import { given, pageQuery } from "../parts/lists.ts";
import { useOnce } from "../parts/once.ts";
import { Secret } from "../parts/secret.tsx";
import { go, link, type Route } from "../router.ts";
import { Badge, Button, Empty, ErrorNotice, Field, Page, Table, Time, usePages } from "../ui/index.ts";

type Key = Schemas["Key"];
type IssuedKey = Schemas["IssuedKey"];
type Scope = Schemas["KeyRequest"]["scopes"][number];

const SCOPES: readonly { name: Scope; text: string }[] = [
  { name: "caps:write", text: "publish and change packs" },
  { name: "roles:write", text: "change roles, consent, pull, make feeds" },
  { name: "keys:write", text: "make and revoke keys and trusted publishers" },
  { name: "hooks:write", text: "change webhooks" },
  { name: "audit:read", text: "read events, deliveries and usage" },
  { name: "policy:write", text: "change policies, override scans, delete revisions" },
  { name: "full_access", text: "all of these" },
];

export default function Keys({ route }: { route: Route }) {
  const making = route.query.has("new");
  const [made, setMade] = useState<IssuedKey>();
  const [revoking, setRevoking] = useState<Key>();
  const keys = usePages(async (cursor, signal) => {
    const { body } = await call("get", "/keys", { query: pageQuery(cursor), signal });
    return { items: body.keys, next: body.next_cursor };
  }, []);
  return (
    <Page title="API keys" beside={!making && <Button kind="primary" onClick={() => go(["keys"], { new: "1" })}>Make a key</Button>}>
      {made && (
        <Secret title={`The key “${made.label}”`} what="the key" text={made.key} onDone={() => setMade(undefined)} />
      )}
      {making && (
        <KeyForm
          onMade={(key) => {
            setMade(key);
            go(["keys"]);
            keys.reload();
          }}
        />
      )}
      <Listed pages={keys} empty={<NoKeys />}>
        {(items) => <KeyTable keys={items} onRevoke={setRevoking} />}
      </Listed>
      {revoking && (
        <Confirm
          title={`Revoke the key “${revoking.label}”?`}
          act="Revoke key"
          onClose={() => setRevoking(undefined)}
          onConfirm={async () => {
            await call("delete", "/keys/{key_id}", { params: { key_id: revoking.id } });
            keys.reload();
          }}
        >
          <p>No request can use it any more, at once and for good.</p>
        </Confirm>
      )}
    </Page>
  );
}

function KeyTable({ keys, onRevoke }: { keys: readonly Key[]; onRevoke: (key: Key) => void }) {
  return (
    <Table
      caption="API keys"
      rows={keys}
      rowKey={(key) => key.id}
      columns={[
        { title: "Label", names: true, cell: (key) => key.label },
        { title: "Begins with", cell: (key) => (key.prefix === undefined ? "not known" : <code>{key.prefix}</code>) },
        { title: "May", cell: (key) => (key.scopes.length === 0 ? "read" : key.scopes.join(", ")) },
        { title: "Pack", cell: (key) => key.pack_name ?? "every pack" },
        { title: "Made", cell: (key) => <Made made={key} /> },
        { title: "Ends", cell: (key) => <Ends thing={key} /> },
        {
          title: "Actions",
          acts: true,
          cell: (key) =>
            !isOver(key) && (
              <Button kind="danger" aria-label={`Revoke ${key.label}`} onClick={() => onRevoke(key)}>Revoke</Button>
            ),
        },
      ]}
    />
  );
}

function Made({ made }: { made: Key }) {
  return <><Time at={made.created_at} />{made.created_by && <> by <code>{made.created_by}</code></>}</>;
}

function Ends({ thing }: { thing: Key }) {
  if (thing.revoked_at) return <><Badge tone="danger">revoked</Badge> <Time at={thing.revoked_at} /></>;
  if (!thing.expires_at) return <>never</>;
  return isOver(thing) ? <><Badge>expired</Badge> <Time at={thing.expires_at} /></> : <Time at={thing.expires_at} />;
}

function isOver(key: Key): boolean {
  return key.revoked_at !== undefined || (key.expires_at !== undefined && Date.parse(key.expires_at) < Date.now());
}

function KeyForm({ onMade }: { onMade: (key: IssuedKey) => void }) {
  const [label, setLabel] = useState("");
  const [scopes, setScopes] = useState<Scope[]>([]);
  const [pack, setPack] = useState("");
  const [days, setDays] = useState("");
  const action = useAction();
  const once = useOnce();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      const body = { label: label.trim(), scopes, ...given({ pack_name: pack.trim(), expires_in: lifetimeSeconds(days) }) };
      const { body: key } = await call("post", "/keys", { body, headers: once.headers(body) });
      once.done();
      onMade(key);
    });
  };
  return (
    <section class="card">
      <h2>A new key</h2>
      <form onSubmit={submit} noValidate>
        <Field label="Label" hint="A name for people: who uses it, and where" error={action.fault("label")}>
          <input value={label} autocomplete="off" maxLength={120} onInput={(event) => setLabel(event.currentTarget.value)} />
        </Field>
        <Checks
          legend="What it may do"
          hint="None of these: it only reads. It never may more than the key that you are signed in with."
          error={action.fault("scopes")}
          options={SCOPES}
          chosen={scopes}
          onChange={setScopes}
        />
        <Field label="Only this pack" hint="The pack’s name, such as slack. Empty: every pack" error={action.fault("pack_name")}>
          <input value={pack} autocomplete="off" spellcheck={false} onInput={(event) => setPack(event.currentTarget.value)} />
        </Field>
        <Lifetime
          days={days}
          otherwise="90 days, or until the key that you are signed in with ends"
          error={action.fault("expires_in")}
          onChange={setDays}
        />
        {action.error !== undefined && (
          <ErrorNotice error={action.error} except={["label", "scopes", "pack_name", "expires_in"]} />
        )}
        <div class="row">
          <Button kind="primary" type="submit" busy={action.busy}>Make the key</Button>
          <a href={link(["keys"])}>Make none</a>
        </div>
      </form>
    </section>
  );
}

function NoKeys() {
  return (
    <Empty title="There are no API keys.">
      <p><a href={link(["keys"], { new: "1" })}>Make one</a>. For CI, a <a href={link(["publishers"])}>trusted publisher</a> needs no stored key.</p>
    </Empty>
  );
}
