import type { Pack, Schemas } from "../../api.ts";
import { Badge, type Tone } from "../../ui/index.ts";

const TIER_TONE: Readonly<Record<Schemas["Tier"], Tone>> = {
  recommended: "good",
  verified: "info",
  community: "neutral",
};
const VISIBILITY: Readonly<Record<Schemas["Visibility"], string>> = {
  org: "your organisation only",
  community: "visible to all",
};

type Marked = Pick<Pack, "tier" | "visibility" | "owned" | "deprecated"> & { status?: string };

/** What every answer with a pack says of it, now or at a revision. */
export function PackBadges({ pack }: { pack: Marked }) {
  return (
    <>
      <Badge tone={TIER_TONE[pack.tier]}>{pack.tier} tier</Badge>
      <Badge>{VISIBILITY[pack.visibility]}</Badge>
      {!pack.owned && <Badge>of another organisation</Badge>}
      {pack.status === "withdrawn" && <Badge tone="danger">withdrawn</Badge>}
      {pack.deprecated && <Badge tone="warning">deprecated</Badge>}
    </>
  );
}
