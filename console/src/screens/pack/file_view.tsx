import { useMemo } from "preact/hooks";
import { readFile, type Schemas } from "../../api.ts";
import { Code } from "../../content/code.tsx";
import { highlighted } from "../../content/highlight.ts";
import { countInvisible } from "../../content/invisible.ts";
import { MarkdownView } from "../../content/markdown_view.tsx";
import { type FileText, MOST_SHOWN_BYTES, readText } from "../../content/text.ts";
import { Visible } from "../../content/visible.tsx";
import { link, type Route } from "../../router.ts";
import { Badge, bytes, ErrorNotice, Loading, Notice, useLoad } from "../../ui/index.ts";
import { Download } from "./download.tsx";
import { type Finding, FindingsOfFile, notesOf } from "./findings.tsx";
import type { ShownPack } from "./shown_pack.ts";

interface Props {
  pack: ShownPack;
  revision: number | undefined;
  file: Schemas["File"];
  /** What the scanner found in it. */
  findings: readonly Finding[];
  route: Route;
}

/** One file, as text. What it is, HTML or a picture, makes no difference: nothing of it is run or drawn. */
export function FileView({ pack, revision, file, findings, route }: Props) {
  const { data, error, reload } = useLoad(
    async (signal) => readText(await readFile(pack.id, file.path, { revision, signal })),
    [pack.id, file.path, file.digest, revision],
  );
  const line = Number(route.query.get("line") ?? Number.NaN);
  const isMarkdown = /\.(md|markdown)$/i.test(file.path);
  // A line is a place in the source.
  const asSource = !isMarkdown || route.query.get("view") === "source" || line > 0;
  const address = (query: { view?: string; line?: number }) => link(route.path, { revision, ...query });
  return (
    <>
      <div class="row ends">
        <h2 class="file-name"><Visible text={file.path} /></h2>
        <div class="row">
          {isMarkdown && <a href={address(asSource ? {} : { view: "source" })}>{asSource ? "Rendered" : "Source"}</a>}
          <Download id={pack.id} path={file.path} revision={revision} />
        </div>
      </div>
      <p class="row muted small-text">
        <span>{bytes(file.size)}</span>
        {file.mode === "755" || file.mode === "0755" ? <Badge>executable</Badge> : null}
        {file.digest && <code>{file.digest}</code>}
      </p>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      <FindingsOfFile findings={findings} lineLink={(to) => address({ line: to })} />
      {!data && error === undefined && <Loading what="Loading the file" />}
      {data && (
        <Content
          path={file.path}
          content={data}
          asSource={asSource}
          here={line}
          lineLink={(to) => address({ line: to })}
          findings={findings}
        />
      )}
    </>
  );
}

interface ContentProps {
  path: string;
  content: FileText;
  asSource: boolean;
  here: number;
  lineLink: (line: number) => string;
  findings: readonly Finding[];
}

/** Rendering Markdown takes its time: a longer file is shown as source. */
const MOST_RENDERED = 256 * 1024;

function Content({ path, content, here, lineLink, findings, ...rest }: ContentProps) {
  const asSource = rest.asSource || content.text.length > MOST_RENDERED;
  const invisible = useMemo(() => countInvisible(content.text.replace(/^\ufeff/, "")), [content]);
  const lines = useMemo(() => (asSource ? highlighted(content.text, path) : []), [content, path, asSource]);
  const notes = useMemo(() => notesOf(findings), [findings]);
  if (content.binary) return <p>It is no text in UTF-8, so this page does not show it. Download it to look inside.</p>;
  if (content.text === "") return <p>The file is empty.</p>;
  return (
    <>
      {invisible > 0 && (
        <Notice tone="warning" title={`It has ${invisible} characters that cannot be seen or that turn text around.`}>
          <p>They are shown here by their numbers. An agent reads them.</p>
        </Notice>
      )}
      {content.cut && <Notice>This is the first {bytes(MOST_SHOWN_BYTES)} of it. Download it to read the rest.</Notice>}
      {asSource ? (
        <Code label={`Content of ${path}`} lines={lines} lineLink={lineLink} here={here} notes={notes} />
      ) : (
        <MarkdownView markdown={content.text} />
      )}
    </>
  );
}
