import type { PackPart } from "./shown_pack.ts";
import { Provenance } from "./provenance.tsx";
import { Scan } from "./scan.tsx";

/** Where the content comes from, and what was found in it. */
export function Trust({ pack, revision }: PackPart) {
  return (
    <div class="stack">
      <Scan pack={pack} revision={revision} />
      <Provenance pack={pack} revision={revision} />
    </div>
  );
}
