import { useMemo, useState } from "preact/hooks";
import { call, type Schemas } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { Empty, ErrorNotice, Field, Loading, useLoad } from "../../ui/index.ts";
import { FileView } from "./file_view.tsx";
import { FolderTree } from "./folder_tree.tsx";
import { useScan } from "./scan.tsx";
import { atRevision, type PackPart } from "./shown_pack.ts";

/** Found files that are listed; more words find fewer. */
const MOST_FOUND = 100;

export function Files({ pack, revision, route }: PackPart) {
  const path = route.path.slice(3).join("/");
  const { data, error, reload } = useLoad(
    async (signal) => {
      const params = { id: pack.id };
      return (await call("get", "/packs/{id}/files", { params, query: atRevision(revision), signal })).body;
    },
    [pack.id, pack.image_digest, revision],
  );
  const scan = useScan(pack, revision);
  const file = data?.files.find((each) => each.path === path);
  const findings = useMemo(() => scan.data?.findings?.filter((finding) => finding.path === path) ?? [], [scan.data, path]);
  if (error !== undefined) return <ErrorNotice error={error} onRetry={reload} />;
  if (!data) return <Loading what="Loading the list of files" />;
  const address = (to: string) => link(["packs", pack.id, "files", ...to.split("/")], { revision });
  return (
    <div class="files">
      <nav class="stack close" aria-label="Files">
        <Tree files={data.files} here={path} address={address} />
      </nav>
      <section class="stack close" aria-label={path ? `File ${path}` : "File"}>
        {scan.error !== undefined && <ErrorNotice error={scan.error} onRetry={scan.reload} />}
        {/* Both at once: findings that come later would move what is being read. */}
        {file && (scan.data || scan.error !== undefined) && (
          <FileView key={path} pack={pack} revision={revision} file={file} findings={findings} route={route} />
        )}
        {!file && path && (
          <Empty title={`There is no file ${path} in this revision.`}>
            <p>It may have another name there. Choose one of the list.</p>
          </Empty>
        )}
        {!path && <p class="muted">Choose a file to read it.</p>}
      </section>
    </div>
  );
}

interface TreeProps {
  files: readonly Schemas["File"][];
  here: string;
  address: (path: string) => string;
}

function Tree({ files, here, address }: TreeProps) {
  const [typed, setTyped] = useState("");
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length
    ? files.filter((file) => words.every((word) => file.path.toLowerCase().includes(word)))
    : [];
  return (
    <>
      <Field label="Find a file">
        <input type="search" autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
      </Field>
      <p class="unseen" role="status">{words.length > 0 && `${found.length} files found`}</p>
      {words.length === 0 && <FolderTree files={files} here={here} address={address} />}
      {words.length > 0 && (
        <ul class="tree">
          {found.slice(0, MOST_FOUND).map((file) => (
            <li key={file.path}>
              <a href={address(file.path)} aria-current={file.path === here ? "page" : undefined}>
                <Visible text={file.path} />
              </a>
            </li>
          ))}
          {found.length === 0 && <li>No file has this in its path.</li>}
          {found.length > MOST_FOUND && <li class="muted">And {found.length - MOST_FOUND} more: type more of the path.</li>}
        </ul>
      )}
    </>
  );
}
