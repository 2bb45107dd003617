import { useEffect, useRef, useState } from "preact/hooks";
import type { Pack } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { link } from "../../router.ts";
import { Badge, Time } from "../../ui/index.ts";
import { PackBadges } from "./badges.tsx";
import { ScanBadge } from "./scan_badge.tsx";
import { type ScanStatus, scanStatus } from "./scan_status.ts";

export function PackCard({ pack, staleRoles }: { pack: Pack; staleRoles: number }) {
  const card = useRef<HTMLLIElement>(null);
  const scan = useScanOnceSeen(pack, card);
  return (
    <li class="card pack-card" ref={card}>
      <h2><a href={link(["packs", pack.id])}><Visible text={pack.display_name} /></a></h2>
      <p class="muted small-text"><code>{pack.name}</code> {pack.version}</p>
      {pack.description && <p class="description"><Visible text={pack.description} /></p>}
      <p class="row badges">
        <PackBadges pack={pack} />
      </p>
      {/* These come later than the rest: their line is there from the start, so that nothing moves. */}
      <p class="row badges marks">
        {scan && <ScanBadge status={scan} href={link(["packs", pack.id, "trust"])} />}
        {staleRoles > 0 && (
          <a href={link(["packs", pack.id, "references"])}>
            <Badge tone="warning">{staleRoles === 1 ? "stale in 1 role" : `stale in ${staleRoles} roles`}</Badge>
          </a>
        )}
      </p>
      <p class="muted small-text">
        {pack.category && <><a href={link(["packs"], { category: pack.category })}>{pack.category}</a> · </>}
        changed <Time at={pack.updated_at} />
      </p>
    </li>
  );
}

/** A scan is asked for only of cards that somebody has in view: each is a request. */
function useScanOnceSeen(pack: Pack, card: { current: HTMLElement | null }): ScanStatus | undefined {
  const [status, setStatus] = useState<ScanStatus>();
  useEffect(() => {
    const stop = new AbortController();
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      seen.disconnect();
      // A mark that fails to load is left out: the pack's own screen shows the refusal.
      scanStatus(pack, stop.signal).then(setStatus, () => undefined);
    });
    if (card.current) seen.observe(card.current);
    return () => {
      seen.disconnect();
      stop.abort();
    };
  }, [pack.id, pack.image_digest]);
  return status;
}
