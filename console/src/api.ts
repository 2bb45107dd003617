/**
 * Requests to the service, typed by its OpenAPI document.
 *
 * The base is the folder of the page (`…/v1/`). Every refusal is an `ApiError` with the service's own words. Reads are
 * tried again when the service or the network is briefly away; a write only if it has an `Idempotency-Key`, since
 * nobody knows whether the first try was carried out.
 */
import type { components, paths } from "./openapi.d.ts";
import { credential } from "./credential.ts";
import { filled } from "./path.ts";

export type Schemas = components["schemas"];
export type Pack = Schemas["Pack"];
export type Details = Schemas["ErrorDetails"];

export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 if no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | undefined = undefined,
    readonly details: Details = {},
    /** Seconds to wait before the next try, where the service says so. */
    readonly retryAfter: number | undefined = undefined,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** What is wrong, by field. */
  get fields(): Readonly<Record<string, string>> {
    return this.details.fields ?? {};
  }
}

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
  /** For `If-Match` of the next write. */
  readonly etag: string | undefined;
}

type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;
type Json<R> = R extends { content: { "application/json": infer Body } } ? Body : never;
type Done = 200 | 201 | 202;
type Success<O> = O extends { responses: infer R }
  ? { [Status in Extract<keyof R, Done>]: Json<R[Status]> }[Extract<keyof R, Done>]
  : never;
type Sent<O> = O extends { requestBody?: infer R } ? Json<NonNullable<R>> : never;
type Part<O, Name extends string> = O extends { parameters: { [N in Name]?: infer Values } } ? Values : never;

/** What a request holds beside its method and path. */
export interface Sending<PathValues = unknown, QueryValues = unknown, Body = unknown> {
  /** The values of `{…}` in the path. */
  params?: PathValues;
  query?: QueryValues;
  /** Sent as JSON, or as it is if it is a form or bytes. */
  body?: Body | FormData | Blob;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

/** The paths that have an operation of this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends undefined ? never : P;
}[keyof paths];

type SendingOf<O> = Sending<Part<O, "path">, Part<O, "query">, Sent<O>>;

/** Ask the service and return its JSON answer. Throws `ApiError`, or `AbortError` after `signal`. */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  sending: SendingOf<Operation<P, M>> = {},
): Promise<Answer<Success<Operation<P, M>>>> {
  const response = await send(method, address(path, sending.params, sending.query), sending);
  const body = await reading(() => response.json());
  return {
    status: response.status,
    body: body as Success<Operation<P, M>>,
    etag: response.headers.get("ETag") ?? undefined,
  };
}

/** Read a file of a pack. The caller decides how much of it to read. */
export function readFile(
  id: string,
  path: string,
  options: { revision?: number | undefined; signal?: AbortSignal } = {},
): Promise<Response> {
  const where = address("/packs/{id}/files/{path}", { id, path }, { revision: options.revision });
  return send("get", where, options.signal ? { signal: options.signal } : {});
}

/** The address of the service: the folder of the page. */
export function base(): URL {
  return new URL(".", location.origin + location.pathname);
}

const TIME_LIMIT_MS = 35_000;
const WAITS_MS = [400, 1_500];
const PASSING = new Set([429, 502, 503, 504]);

async function send(method: Method, url: URL, sending: Sending): Promise<Response> {
  const headers = new Headers(sending.headers);
  // A key that is being tried is sent instead of the one that is held.
  const key = headers.has("Authorization") ? undefined : credential.get().key;
  if (key !== undefined) headers.set("Authorization", `Bearer ${key}`);
  const repeatable = method === "get" || headers.has("Idempotency-Key");
  const request: RequestInit = { method: method.toUpperCase(), headers, cache: "no-cache", credentials: "omit" };
  if (sending.body !== undefined) request.body = serialised(sending.body, headers);

  for (let attempt = 0; ; attempt += 1) {
    const failure = await tried(url, request, sending.signal);
    if (failure instanceof Response) return failure;
    if (failure.status === 401 && key !== undefined) credential.refused(key);
    const wait = WAITS_MS[attempt];
    const passing = failure.status === 0 || PASSING.has(failure.status);
    if (!repeatable || !passing || wait === undefined || (failure.retryAfter ?? 0) > 5) throw failure;
    await pause(Math.max(wait, (failure.retryAfter ?? 0) * 1000), sending.signal);
  }
}

async function tried(url: URL, request: RequestInit, signal?: AbortSignal): Promise<Response | ApiError> {
  const limit = AbortSignal.timeout(TIME_LIMIT_MS);
  let response: Response;
  try {
    response = await fetch(url, { ...request, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (reason) {
    signal?.throwIfAborted();
    return unreached(reason);
  }
  return response.ok ? response : refusal(response);
}

function unreached(reason: unknown): ApiError {
  if (reason instanceof DOMException && reason.name === "TimeoutError") {
    return new ApiError(0, "no_answer", `The service did not answer within ${TIME_LIMIT_MS / 1000} seconds.`);
  }
  return new ApiError(0, "not_reached", "The service was not reached. Check the connection, then try again.");
}

/** Read an error's envelope. What stands between may answer without one. */
async function refusal(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const envelope = (await response.json().catch(() => undefined)) as Schemas["Error"] | undefined;
  const error = envelope?.error;
  return new ApiError(
    response.status,
    error?.code ?? "unexplained",
    error?.message ?? `The service answered with status ${response.status} and no explanation.`,
    error?.request_id ?? response.headers.get("X-Request-Id") ?? undefined,
    error?.details,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  );
}

/** Translate a connection that broke off in the middle of a body. */
export async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new ApiError(0, "cut_off", "The answer broke off before its end. Try again.");
  }
}

function address(path: string, params: unknown, query: unknown): URL {
  const there = filled(path, (params ?? {}) as Record<string, string | number>);
  if (there === undefined) throw new ApiError(404, "no_such_address", "The address of this page names nothing that there can be.");
  const url = new URL(there.slice(1), base());
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url;
}

function serialised(body: unknown, headers: Headers): BodyInit {
  if (body instanceof FormData || body instanceof Blob) return body;
  headers.set("Content-Type", "application/json");
  return JSON.stringify(body);
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
