import { useEffect, useRef, useState } from "preact/hooks";
import { chosenFiles, droppedItems, type Dropped } from "../../content/drop.ts";

interface Props {
  /** While something is being sent, nothing else is taken. */
  disabled: boolean;
  onDrop: (dropped: Promise<Dropped>) => void;
}

/** Take a folder or an archive: dropped anywhere on the page, or chosen with the keyboard. */
export function DropZone({ disabled, onDrop }: Props) {
  const over = useDrop(disabled, onDrop);
  const choose = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    if (input.files) onDrop(Promise.resolve(chosenFiles(input.files)));
    // The same folder may be chosen again after it was mended.
    input.value = "";
  };
  return (
    <div class={over ? "drop over" : "drop"}>
      <p><strong>Drop a pack’s folder here, or its archive.</strong></p>
      <p class="muted">A folder is packed in this page. An archive is a .tar.gz, or the .zip of an Agent Skill.</p>
      <div class="row">
        <label class="button">
          Choose a folder
          <input
            ref={(input) => input?.setAttribute("webkitdirectory", "")}
            class="unseen"
            type="file"
            multiple
            disabled={disabled}
            onChange={choose}
          />
        </label>
        <label class="button">
          Choose an archive
          <input class="unseen" type="file" accept=".gz,.tgz,.zip" disabled={disabled} onChange={choose} />
        </label>
      </div>
    </div>
  );
}

/** Listen on the whole window: a browser would open what is dropped beside the zone, and leave this page. */
function useDrop(disabled: boolean, onDrop: Props["onDrop"]): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef({ disabled, onDrop });
  latest.current = { disabled, onDrop };
  useEffect(() => {
    const stop = new AbortController();
    const listen = (name: "dragover" | "dragleave" | "drop", on: (event: DragEvent) => void) => {
      window.addEventListener(name, on, { signal: stop.signal });
    };
    listen("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(!latest.current.disabled);
    });
    listen("dragleave", (event) => event.relatedTarget === null && setOver(false));
    listen("drop", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      if (!latest.current.disabled) latest.current.onDrop(droppedItems(event.dataTransfer.items));
    });
    return () => stop.abort();
  }, []);
  return over;
}
