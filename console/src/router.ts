/**
 * The address of a screen, kept in the fragment: `#/packs/pack_01…/files/guides/a.md?revision=3`.
 *
 * The fragment is never sent to a server. What a screen shows follows from it alone, so that every view can be
 * linked, reloaded and gone back to.
 */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** The segments, decoded. Empty for the first page. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export function parse(fragment: string): Route {
  const [path = "", query = ""] = cut(fragment.replace(/^#\/?/, ""), "?");
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    query: new URLSearchParams(query),
  };
}

/** Return the address of a screen, to put into `href`. Entries of the query without a value are left out. */
export function link(path: readonly string[], query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const tail = parameters.size ? `?${parameters}` : "";
  return `#/${path.map(encodeURIComponent).join("/")}${tail}`;
}

/** Go to another screen, as a link does. */
export function go(path: readonly string[], query: Query = {}): void {
  location.hash = link(path, query);
}

/** Go to another screen without a way back to this one, as after a sign-in or a deletion. */
export function replace(path: readonly string[], query: Query = {}): void {
  history.replaceState(null, "", link(path, query));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Change some entries of the query in place: what is being typed makes no steps in the browser's history. */
export function replaceQuery(changes: Query): void {
  const { path, query } = current();
  replace(path, { ...Object.fromEntries(query), ...changes });
}

export function current(): Route {
  return parse(location.hash);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const follow = () => setRoute(current());
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  return route;
}

function cut(text: string, at: string): string[] {
  const place = text.indexOf(at);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + at.length)];
}

/** A segment that somebody mistyped, such as `100%`, is taken as it is. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
