import type { Schemas } from "../../api.ts";
import { CapabilityChanges } from "../../parts/capabilities.tsx";
import { Notice } from "../../ui/index.ts";

interface Props {
  capabilities: Schemas["AllowedRequests"];
  from: number;
  to: number;
}

/** What the later revision may do that the earlier one may not, and the other way round. */
export function CapabilityDiff({ capabilities, from, to }: Props) {
  const { widened, removed } = capabilities;
  return (
    <section class="stack close" aria-labelledby="capabilities">
      <h3 id="capabilities">Capabilities</h3>
      {widened && <Notice tone="warning" title={`Revision ${to} may do more than revision ${from}.`} />}
      {!widened && removed.length > 0 && <p>Revision {to} may do nothing that revision {from} may not.</p>}
      <CapabilityChanges change={capabilities} />
    </section>
  );
}
