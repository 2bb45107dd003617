import { Loading } from "../../ui/index.ts";
import { Provenance, useStatements } from "./provenance.tsx";
import { Scan, useScan } from "./scan.tsx";
import type { PackPart } from "./shown_pack.ts";

/** Where the content comes from, and what was found in it. */
export function Trust({ pack, revision }: PackPart) {
  const scan = useScan(pack, revision);
  const statements = useStatements(pack, revision);
  // Both at once: what comes later would move what is being read.
  if ([scan, statements].some(({ data, error }) => data === undefined && error === undefined)) {
    return <Loading what="Loading the scan and the signed statements" />;
  }
  return (
    <div class="stack">
      <Scan pack={pack} revision={revision} load={scan} />
      <Provenance load={statements} />
    </div>
  );
}
