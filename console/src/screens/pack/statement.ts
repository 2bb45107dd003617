/** What a signed statement says, for reading. Programs verify it by its bundle. */
import type { Schemas } from "../../api.ts";

export const PROVENANCE = "https://slsa.dev/provenance/v1";
export const MATERIALS = "https://cyclonedx.org/bom";

export type Signed = Schemas["SignedStatement"];
/** A name and its value. */
export type Fact = readonly [string, string];

/** Read the in-toto statement out of the bundle, or undefined if it has none. */
export function predicateOf(signed: Signed): unknown {
  try {
    const payload = at(signed.bundle, "dsseEnvelope", "payload");
    const bytes = Uint8Array.from(atob(String(payload)), (character) => character.charCodeAt(0));
    return at(JSON.parse(new TextDecoder().decode(bytes)), "predicate");
  } catch {
    return undefined;
  }
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
