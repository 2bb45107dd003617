/**
 * A staged upload: ask for a form, post the archive to it, wait until it is built.
 *
 * The store takes an archive in one request, so a transfer that broke off starts at its beginning, with the same form.
 * Whether it had arrived all the same is asked first: an archive that is sent twice would only cost time.
 */

import type { components } from "../openapi.d.ts";

type Schemas = components["schemas"];
export type Upload = Schemas["Upload"];
export type StartedUpload = Schemas["StartedUpload"];

/** What of the service and of the browser an upload needs. Tests put their own in its place. */
export interface UploadWire {
  /** Start the upload. A repeat with the same Idempotency-Key gets the same answer. */
  start: () => Promise<StartedUpload>;
  state: (uploadId: string) => Promise<Upload>;
  /** Post a form elsewhere, without a credential, and return the answer's status. */
  post: (url: string, form: FormData, onBytes: (sent: number) => void) => Promise<number>;
  /** Whether a failure says that no answer came, so that trying again may help. */
  isLost: (failure: unknown) => boolean;
  /** Wait so many seconds, or until the connection is back. */
  pause: (seconds: number) => Promise<void>;
  now: () => number;
}

export type UploadProgress =
  | { step: "starting" }
  | { step: "sending"; sent: number }
  | { step: "waiting"; seconds: number }
  | { step: "building"; uploadId: string };

/** The store did not take the archive, for a reason that trying again does not mend. */
export class NotStored extends Error {}

const FIRST_WAIT = 1;
const LONGEST_WAIT = 30;
const FIRST_LOOK = 0.5;
const LONGEST_LOOK = 5;

/**
 * Send an archive, and return the upload when it has ended, well or not.
 *
 * @param onStarted Called with the upload's id as soon as there is one, so that the address can name it.
 * @throws NotStored, and what `wire` fails with.
 */
export async function sendStaged(
  archive: Blob,
  wire: UploadWire,
  onProgress: (progress: UploadProgress) => void,
  onStarted: (uploadId: string) => void,
): Promise<Upload> {
  onProgress({ step: "starting" });
  const started = await persistently(wire, wire.start, onProgress);
  onStarted(started.upload_id);
  let tried = false;
  const send = async (): Promise<void> => {
    if (tried && (await hasArrived(started, wire))) return;
    tried = true;
    await post(archive, started, wire, onProgress);
  };
  await persistently(wire, send, onProgress);
  return untilEnded(started.upload_id, wire, onProgress);
}

/** Wait for an upload that was sent, here or before the page was reloaded. */
export async function untilEnded(
  uploadId: string,
  wire: Pick<UploadWire, "state" | "isLost" | "pause">,
  onProgress: (progress: UploadProgress) => void,
): Promise<Upload> {
  // Every state of an upload has a deadline at the service, so this ends too.
  for (let wait = FIRST_LOOK; ; wait = Math.min(wait * 1.5, LONGEST_LOOK)) {
    const upload = await persistently(wire, () => wire.state(uploadId), onProgress);
    if (upload.status !== "building" && upload.status !== "awaiting_archive") return upload;
    onProgress({ step: "building", uploadId });
    await wire.pause(wait);
  }
}

async function hasArrived(started: StartedUpload, wire: UploadWire): Promise<boolean> {
  if ((await wire.state(started.upload_id)).status !== "awaiting_archive") return true;
  if (wire.now() <= Date.parse(started.expires_at)) return false;
  throw new NotStored("The time for sending the archive has passed. Send it again.");
}

async function post(
  archive: Blob,
  started: StartedUpload,
  wire: UploadWire,
  onProgress: (progress: UploadProgress) => void,
): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(started.fields)) form.append(name, value);
  // The store takes the file's part for the last.
  form.append("file", archive, "pack.tar.gz");
  onProgress({ step: "sending", sent: 0 });
  const status = await wire.post(started.url, form, (sent) => {
    onProgress({ step: "sending", sent: Math.min(sent, archive.size) });
  });
  if (status >= 500) throw new LostAnswer();
  if (status >= 300) {
    throw new NotStored(`The store for archives answered ${status}. Send it again; look at this machine's clock.`);
  }
}

/** The store failed for now. */
class LostAnswer extends Error {}

/** Try until there is an answer. */
export async function persistently<T>(
  wire: Pick<UploadWire, "isLost" | "pause">,
  attempt: () => Promise<T>,
  onProgress: (progress: UploadProgress) => void,
): Promise<T> {
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      return await attempt();
    } catch (failure) {
      if (!(failure instanceof LostAnswer) && !wire.isLost(failure)) throw failure;
    }
    onProgress({ step: "waiting", seconds: wait });
    await wire.pause(wait);
  }
}
