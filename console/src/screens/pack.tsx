/** A pack and its parts, each with an address of its own: `packs/{id}/{part}?revision=n`. */
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { call } from "../api.ts";
import { Visible } from "../content/visible.tsx";
import { link, type Route } from "../router.ts";
import { Badge, ErrorNotice, Loading, Notice, Page, Tabs, useLoad } from "../ui/index.ts";
import { begin } from "./pack/comparison.ts";
import { Diff } from "./pack/diff.tsx";
import { Files } from "./pack/files.tsx";
import { Overview } from "./pack/overview.tsx";
import { References } from "./pack/references.tsx";
import { Revisions } from "./pack/revisions.tsx";
import type { PackPart, ShownPack } from "./pack/shown_pack.ts";
import { Trust } from "./pack/trust.tsx";
import { Use } from "./pack/use.tsx";
import { PackBadges } from "./packs/badges.tsx";

interface Part {
  readonly title: string;
  readonly shown: ComponentType<PackPart>;
  /** Whether it shows one revision, so that the one in the address is kept on the way to it. */
  readonly ofRevision: boolean;
}

const PARTS: Readonly<Record<string, Part>> = {
  overview: { title: "Overview", shown: Overview, ofRevision: true },
  files: { title: "Files", shown: Files, ofRevision: true },
  revisions: { title: "Revisions", shown: Revisions, ofRevision: false },
  diff: { title: "Compare", shown: Diff, ofRevision: false },
  trust: { title: "Trust", shown: Trust, ofRevision: true },
  references: { title: "References", shown: References, ofRevision: false },
  use: { title: "Use", shown: Use, ofRevision: false },
};

export default function PackScreen({ route }: { route: Route }) {
  const [, id = "", here = "overview"] = route.path;
  const revision = revisionOf(route);
  const { data: pack, error, reload } = useLoad((signal) => read(id, revision, signal), [id, revision]);
  // It need not wait for the pack.
  useEffect(() => begin(route), [id]);
  const part = PARTS[here] ?? PARTS["overview"];
  if (!pack) {
    return (
      <Page title="Pack">
        {error === undefined ? <Loading what="Loading the pack" /> : <ErrorNotice error={error} onRetry={reload} />}
        {error !== undefined && <p><a href={link(["packs"])}>All packs</a></p>}
      </Page>
    );
  }
  const tabs = Object.entries(PARTS).map(([name, { title, ofRevision }]) => ({
    title,
    href: link(name === "overview" ? ["packs", id] : ["packs", id, name], ofRevision ? { revision } : {}),
    here: PARTS[name] === part,
  }));
  return (
    <Page title={pack.display_name} beside={<p class="row badges"><Badge>{pack.version}</Badge><PackBadges pack={pack} /></p>}>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      <Notices pack={pack} revision={revision} />
      <Further pack={pack} />
      <Tabs label="Parts of the pack" tabs={tabs} />
      {part && <part.shown key={here} pack={pack} revision={revision} route={route} reload={reload} />}
    </Page>
  );
}

async function read(id: string, revision: number | undefined, signal: AbortSignal): Promise<ShownPack> {
  if (revision === undefined) return (await call("get", "/packs/{id}", { params: { id }, signal })).body;
  const { body } = await call("get", "/packs/{id}/revisions/{n}", { params: { id, n: revision }, signal });
  return body;
}

function revisionOf(route: Route): number | undefined {
  const text = route.query.get("revision") ?? "";
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}

/** What else there is of the pack, on other screens. */
function Further({ pack }: { pack: ShownPack }) {
  return (
    <ul class="row further" aria-label="More of the pack">
      {pack.owned && <li><a href={link(["upload"], { pack: pack.id })}>Upload a new version</a></li>}
      {pack.owned && <li><a href={link(["events"], { pack_id: pack.id })}>Its events</a></li>}
      <li><a href={link(["feeds"], { new: 1, pack: pack.id })}>Make a feed of it</a></li>
    </ul>
  );
}

function Notices({ pack, revision }: { pack: ShownPack; revision: number | undefined }) {
  const { deprecated } = pack;
  return (
    <>
      {revision !== undefined && (
        <Notice>
          <p>
            This is revision {revision}, as it was then. <a href={link(["packs", pack.id])}>Show the present one</a>
          </p>
        </Notice>
      )}
      {pack.status === "withdrawn" && (
        <Notice tone="warning" title="This content was withdrawn.">
          <p>Roles that pin it keep it. No other role can begin to use it.</p>
        </Notice>
      )}
      {pack.status === "deleted" && <Notice tone="warning" title="The content of this revision was deleted." />}
      {deprecated && (
        <Notice tone="warning" title="Its owner says not to use this pack any more.">
          <p><Visible text={deprecated.message} /></p>
          {deprecated.replacement && <p><a href={link(["packs", deprecated.replacement])}>Show its replacement</a></p>}
        </Notice>
      )}
    </>
  );
}
