import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { Badge, Button, Empty, ErrorNotice, Table } from "../../ui/index.ts";
import { Command } from "../command.tsx";
import { counted } from "../lists.ts";
import { Consent } from "./consent.tsx";
import { useRefresh } from "./refresh.ts";
import { calledInRole, type RolePack, type RoleState } from "./role_state.ts";

interface Props {
  role: RoleState;
  onMoved: (role: RoleState) => void;
  onReload: () => void;
}

/** What a role pins, which pins are stale, and the way to move them. */
export function Pins({ role, onMoved, onReload }: Props) {
  const refresh = useRefresh(role, onMoved);
  const stale = role.packs.filter((pack) => pack.stale);
  if (role.packs.length === 0) return <NoPacks role={role} />;
  return (
    <>
      {stale.length > 0 ? (
        <div class="row">
          <Button kind="primary" busy={refresh.action.busy} onClick={() => refresh.start(stale.map((pack) => pack.id))}>
            Move {counted(stale.length, "stale pin")} to the current {stale.length === 1 ? "revision" : "revisions"}
          </Button>
          <span class="muted">You are asked first, if that would allow more.</span>
        </div>
      ) : (
        <p>All pins are current.</p>
      )}
      {refresh.action.error !== undefined && <ErrorNotice error={refresh.action.error} onRetry={onReload} />}
      <Table
        caption={`Packs of ${role.id}`}
        rows={role.packs}
        rowKey={(pack) => pack.id}
        columns={[
          {
            title: "Pack",
            names: true,
            cell: (pack) => <PackName pack={pack} />,
          },
          { title: "Owner", cell: (pack) => pack.owner },
          {
            title: "Pinned at",
            cell: (pack) => `${pack.version}, revision ${pack.revision}`,
          },
          { title: "State", cell: (pack) => <State pack={pack} /> },
          {
            title: "Current revision",
            cell: (pack) =>
              pack.stale ? (
                <span class="row">
                  <a href={link(["packs", pack.id, "diff"], { from: pack.revision })}>What changes</a>
                  <Button
                    busy={refresh.action.busy}
                    aria-label={`Move the pin of ${calledInRole(pack)}`}
                    onClick={() => refresh.start([pack.id])}
                  >
                    Move
                  </Button>
                </span>
              ) : (
                "is pinned"
              ),
          },
        ]}
      />
      {refresh.wanted && (
        <Consent
          key={JSON.stringify(refresh.wanted)}
          roleId={role.id}
          wanted={refresh.wanted}
          names={new Map(role.packs.map((pack) => [pack.id, calledInRole(pack)]))}
          busy={refresh.action.busy}
          each
          onAgree={refresh.agree}
          onClose={refresh.cancel}
        />
      )}
      <h2>Use it</h2>
      <Command text={`packyard install ${role.id} --into ./packs`} />
      <p>
        Or <a href={link(["feeds"], { new: "1", role: role.id })}>make a feed</a> for clients that cannot send a
        credential.
      </p>
    </>
  );
}

function PackName({ pack }: { pack: RolePack }) {
  return (
    <>
      <a href={link(["packs", pack.id])}>{calledInRole(pack)}</a>
      {pack.alias && <span class="muted"> is {pack.name}</span>}
    </>
  );
}

function State({ pack }: { pack: RolePack }) {
  return (
    <span class="row">
      {pack.status !== "active" && <Badge tone="danger">{pack.status}</Badge>}
      {pack.stale ? <Badge tone="warning">stale</Badge> : <Badge tone="good">current</Badge>}
      {pack.follow && <Badge tone="info">follows</Badge>}
      {pack.deprecated && <Badge tone="warning">deprecated: <Visible text={pack.deprecated.message} /></Badge>}
    </span>
  );
}

function NoPacks({ role }: { role: RoleState }) {
  const there = role.etag !== undefined;
  return (
    <Empty title={there ? "This role has no packs." : "There is no role of this name yet."}>
      <p>
        <a href={link(["roles", role.id, "change"])}>Choose its packs</a>
        {!there && ", and it is made"}, or from a terminal:
      </p>
      <Command text={`packyard roles attach ${role.id} PACK`} />
    </Empty>
  );
}
