import { ApiError, call, type Schemas } from "../../api.ts";
import { ConnectionLost, pauseOnline, postForm } from "../../content/post.ts";
import { persistently, sendStaged, untilEnded, type Upload, type UploadProgress, type UploadWire } from "../../content/upload.ts";
import { given } from "../lists.ts";

export type DryRun = Schemas["DryRun"];

/** What an archive is to become. */
export interface Target {
  /** The pack that it replaces, as it was read; undefined for a new one. */
  pack: { id: string; etag: string | undefined } | undefined;
  /** Of a new pack. */
  visibility: Schemas["Visibility"];
  /** Of an Agent Skill that states none; empty for none. */
  version: string;
  dryRun: boolean;
}

export interface Sent {
  packId: string | undefined;
  warnings: readonly string[];
  /** What would come, after a dry run. */
  outcome: DryRun | undefined;
}

interface Sending {
  archive: Blob;
  target: Target;
  idempotency: Readonly<Record<string, string>>;
  signal: AbortSignal;
  onProgress: (progress: UploadProgress) => void;
  onStarted: (uploadId: string) => void;
}

/** What fits into one request is sent in one (API contract, section 2: about 4.5 MiB, with the form around it). */
const INLINE_BYTES = 4_000_000;

/** Send an archive: in one request where it is small, by way of the staging bucket where it is large. */
export async function send(sending: Sending): Promise<Sent> {
  if (sending.archive.size <= INLINE_BYTES) {
    try {
      return await inOneRequest(sending);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "payload_too_large") throw error;
    }
  }
  const { archive, onProgress, onStarted } = sending;
  return sentBy(await sendStaged(archive, wireOf(sending), onProgress, onStarted));
}

/** Wait for an upload that was sent before the page was loaded. */
export async function follow(uploadId: string, signal: AbortSignal, onProgress: (progress: UploadProgress) => void): Promise<Sent> {
  const { status } = await stateOf(uploadId, signal);
  if (status === "awaiting_archive") {
    throw new ApiError(409, "archive_missing", "The archive of this upload has not arrived. Drop it again.");
  }
  const wire = { state: (id: string) => stateOf(id, signal), isLost, pause: (seconds: number) => pauseOnline(seconds, signal) };
  return sentBy(await untilEnded(uploadId, wire, onProgress));
}

async function inOneRequest({ archive, target, idempotency, signal, onProgress }: Sending): Promise<Sent> {
  const form = new FormData();
  const texts = given({ visibility: target.pack ? undefined : target.visibility, version: target.version });
  for (const [name, text] of Object.entries(texts)) form.append(name, text);
  form.append("archive", archive, "pack.tar.gz");
  const query = target.dryRun ? { dry_run: true } : {};
  const { pack } = target;
  const attempt = async (): Promise<Schemas["SentPack"] | DryRun> => {
    onProgress({ step: "sending", sent: 0 });
    if (!pack) return (await call("post", "/packs/upload", { query, body: form, headers: idempotency, signal })).body;
    const headers = { ...idempotency, ...ifMatch(pack.etag) };
    return (await call("post", "/packs/{id}/upload", { params: { id: pack.id }, query, body: form, headers, signal })).body;
  };
  const wire = { isLost, pause: (seconds: number) => pauseOnline(seconds, signal) };
  const body = await persistently(wire, attempt, onProgress);
  return "dry_run" in body
    ? { packId: body.pack.id, warnings: body.warnings ?? [], outcome: body }
    : { packId: body.id, warnings: body.warnings ?? [], outcome: undefined };
}

function wireOf({ archive, target, idempotency, signal }: Sending): UploadWire {
  const { pack } = target;
  return {
    start: async () => {
      const { body } = await call("post", "/packs/uploads", {
        query: target.dryRun ? { dry_run: true } : {},
        headers: { ...idempotency, ...ifMatch(pack?.etag) },
        body: {
          size_bytes: archive.size,
          ...given({ version: target.version }),
          ...(pack ? { pack_id: pack.id } : { visibility: target.visibility }),
        },
        signal,
      });
      return body;
    },
    state: (id) => stateOf(id, signal),
    post: (url, form, onBytes) => postForm(url, form, onBytes, signal),
    isLost,
    pause: (seconds) => pauseOnline(seconds, signal),
    now: Date.now,
  };
}

async function stateOf(uploadId: string, signal: AbortSignal): Promise<Upload> {
  return (await call("get", "/packs/uploads/{upload_id}", { params: { upload_id: uploadId }, signal })).body;
}

function sentBy(upload: Upload): Sent {
  const { error } = upload;
  if (error) {
    // The envelope of a build's failure is in the upload. It has no status of HTTP, and 409 stands for "refused".
    throw new ApiError(409, error.code, error.message, error.request_id, error.details);
  }
  if (upload.status !== "done") {
    throw new ApiError(409, "upload_over", `The upload ${upload.upload_id} has ${upload.status}. Send the archive again.`);
  }
  return { packId: upload.pack_id, warnings: upload.warnings ?? [], outcome: upload.outcome };
}

function isLost(failure: unknown): boolean {
  return failure instanceof ConnectionLost || (failure instanceof ApiError && failure.status === 0);
}

function ifMatch(etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { "If-Match": etag };
}
