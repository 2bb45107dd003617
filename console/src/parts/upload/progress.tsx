import type { UploadProgress } from "../../content/upload.ts";
import { bytes } from "../../ui/index.ts";

export type Step = { step: "packing"; read: number; of: number } | (UploadProgress & { of: number });

/** How far it is. The step is read out when it changes, and not with each byte. */
export function Progress({ step }: { step: Step }) {
  return (
    <div class="stack close">
      <p role="status">{words(step)}</p>
      {step.step === "packing" && <progress aria-label="Packed" max={step.of || 1} value={step.read} />}
      {step.step === "sending" && (
        <>
          {/* A small archive goes in one request that tells nothing: then the bar only says that something happens. */}
          <progress aria-label="Sent" max={step.of || 1} value={step.sent || undefined} />
          {step.sent > 0 && <p class="small-text">{bytes(step.sent)} of {bytes(step.of)}</p>}
        </>
      )}
      {(step.step === "starting" || step.step === "building") && <progress aria-label={words(step)} />}
    </div>
  );
}

function words(step: Step): string {
  switch (step.step) {
    case "packing":
      return "Packing the folder";
    case "starting":
      return "Asking where to send it";
    case "sending":
      return "Sending the archive";
    case "waiting":
      return `The connection is lost. It is tried again in ${step.seconds} seconds, or as soon as the connection is back. Nothing is lost.`;
    case "building":
      return "The service checks it and builds the image";
  }
}
