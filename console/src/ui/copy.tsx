import { useEffect, useState } from "preact/hooks";

interface Props {
  text: string;
  /** What is copied, for the button's name: "the command". */
  what: string;
}

/** A button that copies a text, and says that it did. */
export function Copy({ text, what }: Props) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), 2_500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState("copied");
    } catch {
      // Without https, or if the browser forbids it, there is no clipboard.
      setState("failed");
    }
  };
  return (
    <span class="copy">
      <button type="button" class="button small" onClick={copy} aria-label={`Copy ${what}`}>Copy</button>
      <span class="copied" role="status">
        {state === "copied" && "Copied"}
        {state === "failed" && "The browser does not let this page copy: select the text"}
      </span>
    </span>
  );
}

/** A command or an address in full, with its copy button. */
export function CopyLine({ text, what }: Props) {
  return (
    <div class="copy-line">
      <pre tabIndex={0}><code>{text}</code></pre>
      <Copy text={text} what={what} />
    </div>
  );
}
