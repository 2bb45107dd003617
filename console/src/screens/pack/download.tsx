import { useState } from "preact/hooks";
import { reading, readFile } from "../../api.ts";
import { Button, ErrorNotice } from "../../ui/index.ts";

/** Saves a file. A plain link could not send the credential. */
export function Download({ id, path, revision }: { id: string; path: string; revision: number | undefined }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const response = await readFile(id, path, { revision });
      // As bytes, whatever the file says that it is: a page of this origin must not come of it.
      const content = new Blob([await reading(() => response.arrayBuffer())], { type: "application/octet-stream" });
      offer(content, path.slice(path.lastIndexOf("/") + 1));
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button onClick={save} busy={busy}>Download</Button>
      {error !== undefined && <ErrorNotice error={error} />}
    </>
  );
}

function offer(content: Blob, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(content);
  anchor.download = name;
  anchor.click();
  // The browser has begun to save by then.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}
