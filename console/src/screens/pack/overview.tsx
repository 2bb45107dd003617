import { call, readFile } from "../../api.ts";
import { Code } from "../../content/code.tsx";
import { highlighted } from "../../content/highlight.ts";
import { MarkdownView } from "../../content/markdown_view.tsx";
import { type FileText, readText } from "../../content/text.ts";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { bytes, Copy, Empty, ErrorNotice, Loading, Time, useLoad } from "../../ui/index.ts";
import { Manage } from "./manage.tsx";
import { atRevision, type PackPart, type ShownPack } from "./shown_pack.ts";

/** The files that say what a pack is: to people, and to an agent. */
const DOCUMENTS: readonly { path: string; about: string }[] = [
  { path: "README.md", about: "for people" },
  { path: "SKILL.md", about: "what an agent reads" },
  { path: "behavior.md", about: "what an agent is told" },
];

export function Overview({ pack, revision, reload }: PackPart) {
  return (
    <div class="overview">
      <div class="stack">
        {pack.description && <p class="lead"><Visible text={pack.description} /></p>}
        <Capabilities text={pack.capabilities} />
        <Documents id={pack.id} revision={revision} />
      </div>
      <div class="stack">
        <Facts pack={pack} />
        {pack.owned && revision === undefined && <Manage pack={pack} reload={reload} />}
      </div>
    </div>
  );
}

function Capabilities({ text }: { text: string | undefined }) {
  return (
    <section class="stack close">
      <h2>Capabilities</h2>
      {text === undefined ? (
        <p>It asks for none: an agent may do no more with this pack than without it.</p>
      ) : (
        <Code label="Capabilities, as YAML" lines={highlighted(text, "caps.yaml")} />
      )}
    </section>
  );
}

function Documents({ id, revision }: { id: string; revision: number | undefined }) {
  const { data, error, reload } = useLoad((signal) => readDocuments(id, revision, signal), [id, revision]);
  if (error !== undefined) return <ErrorNotice error={error} onRetry={reload} />;
  if (!data) return <Loading what="Loading what it says of itself" />;
  if (data.length === 0) {
    return (
      <Empty title="It has no README.md, SKILL.md or behavior.md.">
        <p><a href={link(["packs", id, "files"], { revision })}>See its files</a></p>
      </Empty>
    );
  }
  return (
    <>
      {data.map(({ path, about, content }) => (
        <section key={path} class="stack close document">
          <div class="row ends">
            <h2>{path} <span class="muted">{about}</span></h2>
            <a href={link(["packs", id, "files", path], { revision, view: "source" })}>Source</a>
          </div>
          {content.binary ? <p>It is no text in UTF-8.</p> : <MarkdownView markdown={content.text} />}
          {content.cut && <p class="muted">It goes on: this is its beginning.</p>}
        </section>
      ))}
    </>
  );
}

interface Document {
  path: string;
  about: string;
  content: FileText;
}

/** Rendering takes its time: of a longer document the beginning is shown. */
const MOST_BYTES = 128 * 1024;

async function readDocuments(id: string, revision: number | undefined, signal: AbortSignal): Promise<Document[]> {
  const list = await call("get", "/packs/{id}/files", { params: { id }, query: atRevision(revision), signal });
  const paths = new Set(list.body.files.map((file) => file.path));
  return Promise.all(
    DOCUMENTS.filter(({ path }) => paths.has(path)).map(async ({ path, about }) => ({
      path,
      about,
      content: await readText(await readFile(id, path, { revision, signal }), MOST_BYTES),
    })),
  );
}

function Facts({ pack }: { pack: ShownPack }) {
  const suggested = pack.suggested_packs?.split(",").map((name) => name.trim()) ?? [];
  return (
    <section class="stack close" aria-labelledby="facts">
      <h2 id="facts">About</h2>
      <dl class="facts">
        <dt>Name</dt>
        <dd><code>{pack.name}</code></dd>
        <dt>Version</dt>
        <dd>{pack.version}</dd>
        <dt>Category</dt>
        <dd>{pack.category ? <a href={link(["packs"], { category: pack.category })}>{pack.category}</a> : "none"}</dd>
        {suggested.length > 0 && (
          <>
            <dt>Goes well with</dt>
            <dd class="row">
              {suggested.map((name) => <a key={name} href={link(["packs"], { search: name })}>{name}</a>)}
            </dd>
          </>
        )}
        <dt>Size</dt>
        <dd>{bytes(pack.size_bytes)} compressed</dd>
        <dt>Made by</dt>
        <dd>{{ upload: "an upload", image_ref: "a registered image", clone: "a clone" }[pack.image_origin]}</dd>
        <dt>Created</dt>
        <dd><Time at={pack.created_at} /></dd>
        <dt>Changed</dt>
        <dd><Time at={pack.updated_at} /></dd>
        <dt>Id</dt>
        <dd><code>{pack.id}</code> <Copy text={pack.id} what="the pack’s id" /></dd>
        {pack.org_id && (
          <>
            <dt>Organisation</dt>
            <dd><code>{pack.org_id}</code></dd>
          </>
        )}
        <dt>Image</dt>
        <dd><code>{pack.image_ref}</code></dd>
        <dt>Image digest</dt>
        <dd><code>{pack.image_digest}</code> <Copy text={pack.image_digest} what="the image’s digest" /></dd>
        {pack.content_digest && (
          <>
            <dt>Content digest</dt>
            <dd><code>{pack.content_digest}</code> <Copy text={pack.content_digest} what="the content’s digest" /></dd>
          </>
        )}
      </dl>
    </section>
  );
}
