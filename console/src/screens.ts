/** The screens, by the first segment of their address. Each is loaded when it is first shown. */
import type { ComponentType } from "preact";
import type { Route } from "./router.ts";

export type Screen = ComponentType<{ route: Route }>;

export interface Place {
  /** How the navigation names it; screens without a title are reached from others. */
  readonly title?: string;
  readonly load: (path: readonly string[]) => Promise<{ default: Screen }>;
}

export const PLACES: Readonly<Record<string, Place>> = {
  packs: {
    title: "Packs",
    load: ([, id]) => (id ? import("./screens/pack.tsx") : import("./screens/packs.tsx")),
  },
};
