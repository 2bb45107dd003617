import { ApiError, call } from "../api.ts";
import { useLoad } from "../ui/index.ts";

/** As many as are asked for at once: each name is a request of its own. */
const MOST = 50;

/** The names of packs by their ids. One that cannot be seen any more keeps its id for a name. */
export function usePackNames(ids: readonly string[]): ReadonlyMap<string, string> {
  const { data } = useLoad(
    async (signal) => new Map(await Promise.all(ids.slice(0, MOST).map(async (id) => [id, await nameOf(id, signal)] as const))),
    [ids.join(" ")],
  );
  return data ?? new Map(ids.map((id) => [id, id]));
}

async function nameOf(id: string, signal: AbortSignal): Promise<string> {
  try {
    return (await call("get", "/packs/{id}", { params: { id }, signal })).body.name;
  } catch (error) {
    if (error instanceof ApiError) return id;
    throw error;
  }
}
