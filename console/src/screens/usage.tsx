import { call, type Schemas } from "../api.ts";
import { bytes, ErrorNotice, Loading, Page, Time, useLoad } from "../ui/index.ts";

type Usage = Schemas["Usage"];

interface Quota {
  title: string;
  text: (count: number) => string;
  /** What happens at the limit, and what helps. */
  full: string;
}

const plain = (count: number): string => count.toLocaleString("en");

const QUOTAS: Readonly<Record<keyof Usage, Quota>> = {
  packs: {
    title: "Packs",
    text: plain,
    full: "A new pack is refused. Delete one to make room.",
  },
  stored_bytes: {
    title: "Stored content",
    text: bytes,
    full: "A publish is refused. Delete packs or old revisions to make room.",
  },
  publishes_a_day: {
    title: "Publishes today",
    text: plain,
    full: "A publish is refused until the count begins anew.",
  },
  builds_at_once: {
    title: "Builds at this moment",
    text: plain,
    full: "A large archive waits for its turn.",
  },
};

export default function UsageScreen() {
  const { data, error, reload } = useLoad((signal) => call("get", "/usage", { signal }), []);
  return (
    <Page title="Usage">
      <p class="muted">What your organisation uses, and of what. The operator of this service sets the limits.</p>
      {error !== undefined && <ErrorNotice error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading />}
      {data && (
        <ul class="cards">
          {(Object.keys(QUOTAS) as (keyof Usage)[]).map((name) => (
            <li key={name} class="card"><Meter quota={QUOTAS[name]} used={data.body[name]} /></li>
          ))}
        </ul>
      )}
    </Page>
  );
}

function Meter({ quota, used }: { quota: Quota; used: { used: number; limit?: number; resets_at?: string } }) {
  const { limit } = used;
  const text = limit === undefined ? `${quota.text(used.used)}, without a limit` : `${quota.text(used.used)} of ${quota.text(limit)}`;
  return (
    <>
      <h2>{quota.title}</h2>
      {limit !== undefined && (
        <meter aria-label={quota.title} min={0} max={limit || 1} high={limit * 0.8} optimum={0} value={used.used}>{text}</meter>
      )}
      <p>{text}</p>
      {limit !== undefined && used.used >= limit && <p class="field-error">{quota.full}</p>}
      {used.resets_at && <p class="small-text">Begins anew <Time at={used.resets_at} />.</p>}
    </>
  );
}
