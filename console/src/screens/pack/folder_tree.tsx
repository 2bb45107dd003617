import { useMemo, useState } from "preact/hooks";
import type { Schemas } from "../../api.ts";
import { countFiles, type Folder, treeOf } from "../../content/tree.ts";
import { Visible } from "../../content/visible.tsx";
import { Button } from "../../ui/index.ts";

interface Props {
  files: readonly Schemas["File"][];
  /** The path of the file that is shown; its folders are open. */
  here: string;
  address: (path: string) => string;
}

/** Files of one folder that are listed at once. */
const AT_ONCE = 200;

/** The files as folders that open. What is in a closed one is not in the document. */
export function FolderTree({ files, here, address }: Props) {
  const root = useMemo(() => treeOf(files), [files]);
  return <Inside folder={root} here={here} address={address} />;
}

type File = Schemas["File"];

function Inside({ folder, here, address }: { folder: Folder<File> } & Omit<Props, "files">) {
  const [most, setMost] = useState(AT_ONCE);
  return (
    <ul class="tree">
      {folder.folders.map((inner) => <li key={inner.path}><Closable folder={inner} here={here} address={address} /></li>)}
      {folder.files.slice(0, most).map(({ name, item }) => (
        <li key={item.path}>
          <a href={address(item.path)} aria-current={item.path === here ? "page" : undefined}>
            <Visible text={name} />
          </a>
        </li>
      ))}
      {folder.files.length > most && (
        <li><Button onClick={() => setMost(most + AT_ONCE * 5)}>Show more of {folder.files.length} files</Button></li>
      )}
    </ul>
  );
}

function Closable({ folder, here, address }: { folder: Folder<File> } & Omit<Props, "files">) {
  const [open, setOpen] = useState(here.startsWith(folder.path));
  const count = useMemo(() => countFiles(folder), [folder]);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary><Visible text={folder.name} />/ <span class="muted">{count}</span></summary>
      {open && <Inside folder={folder} here={here} address={address} />}
    </details>
  );
}
