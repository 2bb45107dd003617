/** What a signed statement says, for reading. Programs verify it by its bundle. */
import type { Schemas } from "../../api.ts";

export const PROVENANCE = "https://slsa.dev/provenance/v1";
export const MATERIALS = "https://cyclonedx.org/bom";

export type Signed = Schemas["SignedStatement"];
/** A name and its value. */
export type Fact = readonly [string, string];

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** As DER. */
  readonly signature: Uint8Array;
}

/** Return the signed envelope of the bundle; what it lacks is empty. */
export function envelopeOf({ bundle }: Signed): Envelope {
  const envelope = at(bundle, "dsseEnvelope");
  return {
    payloadType: String(at(envelope, "payloadType")),
    payload: decoded(at(envelope, "payload")),
    signature: decoded(at(list(at(envelope, "signatures"))[0], "sig")),
  };
}

/** Return the digests of the images that a statement is about. */
export function subjectsOf(signed: Signed): string[] {
  return list(at(statementOf(signed), "subject")).map((subject) => `sha256:${at(subject, "digest", "sha256")}`);
}

/** Return what a statement says of its subjects, or undefined if it cannot be read. */
export function predicateOf(signed: Signed): unknown {
  return at(statementOf(signed), "predicate");
}

function statementOf(signed: Signed): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(envelopeOf(signed).payload));
  } catch {
    return undefined;
  }
}

function decoded(base64: unknown): Uint8Array {
  return Uint8Array.from(atob(typeof base64 === "string" ? base64 : ""), (character) => character.charCodeAt(0));
}

/** What the provenance says of how the image came about. */
export function provenanceFacts(predicate: unknown): Fact[] {
  const external = at(predicate, "buildDefinition", "externalParameters");
  const sources = list(at(predicate, "buildDefinition", "resolvedDependencies"));
  const facts: [string, unknown][] = [
    ["Built by", at(predicate, "runDetails", "builder", "id")],
    ["Operation", at(external, "operation")],
    ["Finished", at(predicate, "runDetails", "metadata", "finishedOn")],
    ["Request", at(predicate, "runDetails", "metadata", "invocationId")],
    ["Owner", at(external, "pack", "owner")],
    ["Revision", at(external, "pack", "revision")],
    ["Source, as the sender said", at(external, "source")],
    ...sources.map((source): [string, unknown] => [
      `Made of the ${at(source, "name")}`,
      at(source, "uri") ?? `sha256:${at(source, "digest", "sha256")}`,
    ]),
    ...Object.entries((at(external, "ci") ?? {}) as Record<string, unknown>).map(
      ([name, value]): [string, unknown] => [`CI: ${name}`, value],
    ),
  ];
  return facts.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
}

export interface Materials {
  readonly files: number;
  readonly packages: readonly string[];
}

/** What the bill of materials lists. */
export function materials(predicate: unknown): Materials {
  const components = list(at(predicate, "components"));
  const packages = components.filter((each) => at(each, "type") !== "file");
  return {
    files: components.length - packages.length,
    packages: packages.map((each) => [at(each, "name"), at(each, "version")].filter(Boolean).join(" ")),
  };
}

/** Walk into a document of which nothing is known. */
function at(document: unknown, ...names: readonly string[]): unknown {
  let found: unknown = document;
  for (const name of names) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
