import type { Schemas } from "../api.ts";

export type EventType = Schemas["EventType"];

/** In the order of the API contract. A type that is missing here, or that is none, does not compile. */
const TYPES: Readonly<Record<EventType, true>> = {
  "pack.created": true,
  "pack.updated": true,
  "pack.visibility_changed": true,
  "pack.deprecated": true,
  "pack.deleted": true,
  "revision.withdrawn": true,
  "revision.restored": true,
  "revision.deleted": true,
  "role.updated": true,
  "role.deleted": true,
  "role.stale": true,
  "role.withdrawn_pin": true,
  "capabilities.accepted": true,
  "key.issued": true,
  "key.revoked": true,
  "publisher.added": true,
  "publisher.removed": true,
  "policy.updated": true,
  "scan.finished": true,
  "scan.overridden": true,
  "feed.created": true,
  "feed.removed": true,
  "feed.shared": true,
  "webhook.created": true,
  "webhook.updated": true,
  "webhook.deleted": true,
  "webhook.disabled": true,
  "org.created": true,
  "org.updated": true,
};

export const EVENT_TYPES = Object.keys(TYPES) as readonly EventType[];
