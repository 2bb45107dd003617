/** The scans of packs in a list: few requests at once, and none twice for one image. */
import { call, type Pack, type Schemas } from "../../api.ts";

export type ScanStatus = Schemas["PackScan"]["status"];

const known = new Map<string, ScanStatus>();
const waiting: (() => Promise<void>)[] = [];
let running = 0;
const AT_ONCE = 2;
/** While somebody types, cards come and go: only those that stay are asked about. */
const STAYS_MS = 600;

export function scanStatus(pack: Pack, signal: AbortSignal): Promise<ScanStatus> {
  const image = `${pack.id} ${pack.image_digest}`;
  const before = known.get(image);
  if (before) return Promise.resolve(before);
  return new Promise((resolve, reject) => {
    const ask = async () => {
      try {
        signal.throwIfAborted();
        const { body } = await call("get", "/packs/{id}/scan", { params: { id: pack.id }, signal });
        known.set(image, body.status);
        resolve(body.status);
      } catch (reason) {
        reject(reason);
      }
    };
    const timer = setTimeout(() => {
      waiting.push(ask);
      void work();
    }, STAYS_MS);
    signal.addEventListener("abort", () => clearTimeout(timer));
  });
}

async function work(): Promise<void> {
  if (running === AT_ONCE) return;
  running += 1;
  for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  running -= 1;
}
