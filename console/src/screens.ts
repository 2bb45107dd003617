/** The screens, by the first segment of their address. Each is loaded when it is first shown. */
import type { ComponentType } from "preact";
import type { Route } from "./router.ts";

export type Screen = ComponentType<{ route: Route }>;

export interface Place {
  /** How the navigation names it; screens without a title are reached from others. */
  readonly title?: string;
  /** Whether the navigation shows it to the operator only. */
  readonly operates?: boolean;
  readonly load: (path: readonly string[]) => Promise<{ default: Screen }>;
}

export const PLACES: Readonly<Record<string, Place>> = {
  packs: {
    title: "Packs",
    load: ([, id]) => (id ? import("./screens/pack.tsx") : import("./screens/packs.tsx")),
  },
  upload: {
    title: "Upload",
    load: () => import("./screens/upload.tsx"),
  },
  roles: {
    title: "Roles",
    load: ([, id]) => (id ? import("./screens/role.tsx") : import("./screens/roles.tsx")),
  },
  events: {
    title: "Events",
    load: () => import("./screens/events.tsx"),
  },
  feeds: {
    title: "Feeds",
    load: ([, id]) => (id ? import("./screens/feed.tsx") : import("./screens/feeds.tsx")),
  },
  webhooks: {
    title: "Webhooks",
    load: ([, id]) => (id ? import("./screens/webhook.tsx") : import("./screens/webhooks.tsx")),
  },
  keys: {
    title: "Keys",
    load: () => import("./screens/keys.tsx"),
  },
  publishers: {
    title: "Publishers",
    load: () => import("./screens/publishers.tsx"),
  },
  usage: {
    title: "Usage",
    load: () => import("./screens/usage.tsx"),
  },
  operator: {
    title: "Operator",
    operates: true,
    load: () => import("./screens/operator.tsx"),
  },
};
