import type { ComponentChildren } from "preact";
import type { Schemas } from "../api.ts";
import { bytes, Time } from "../ui/index.ts";

type Usage = Schemas["Usage"];
export type Quota = keyof Usage;

interface Shown {
  title: string;
  text: (count: number) => string;
  /** What happens at the limit. */
  full: string;
  /** What the organisation itself can do about it. */
  helps?: string;
}

const plain = (count: number): string => count.toLocaleString("en");

const QUOTAS: Readonly<Record<Quota, Shown>> = {
  packs: {
    title: "Packs",
    text: plain,
    full: "A new pack is refused.",
    helps: "Delete one to make room.",
  },
  stored_bytes: {
    title: "Stored content",
    text: bytes,
    full: "A publish is refused.",
    helps: "Delete packs or old revisions to make room.",
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

interface Props {
  usage: Usage;
  /** Of the headings: one below the heading before them. */
  heading: "h2" | "h4";
  /** Whether the organisation itself looks, and not the operator. */
  own: boolean;
  /** What more is said of one of them. */
  after?: (quota: Quota) => ComponentChildren;
}

/** What is used, and of what. */
export function QuotaMeters({ usage, heading, own, after }: Props) {
  return (
    <ul class="cards">
      {(Object.keys(QUOTAS) as Quota[]).map((name) => (
        <li key={name} class="card">
          <Meter shown={QUOTAS[name]} used={usage[name]} heading={heading} own={own} />
          {after?.(name)}
        </li>
      ))}
    </ul>
  );
}

interface MeterProps {
  shown: Shown;
  used: { used: number; limit?: number; resets_at?: string };
  heading: Props["heading"];
  own: boolean;
}

function Meter({ shown, used, heading: Heading, own }: MeterProps) {
  const { limit } = used;
  const text = limit === undefined ? `${shown.text(used.used)}, without a limit` : `${shown.text(used.used)} of ${shown.text(limit)}`;
  return (
    <>
      <Heading>{shown.title}</Heading>
      {limit !== undefined && (
        <meter aria-label={shown.title} min={0} max={limit || 1} high={limit * 0.8} optimum={0} value={used.used}>{text}</meter>
      )}
      <p>{text}</p>
      {limit !== undefined && used.used >= limit && <p class="field-error">{own && shown.helps ? `${shown.full} ${shown.helps}` : shown.full}</p>}
      {used.resets_at && <p class="small-text">Begins anew <Time at={used.resets_at} />.</p>}
    </>
  );
}
