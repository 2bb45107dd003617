/** Checking a statement's signature in the page, by the browser's own cryptography. */
import type { Schemas } from "../../api.ts";
import { envelopeOf, type Signed, subjectsOf } from "./statement.ts";

export type Verdict =
  /** The key has signed exactly this, about exactly this image. */
  | "fits"
  /** The signature is not of this key over this statement. */
  | "does not fit"
  | "about another image"
  /** The page came without https: browsers have no cryptography there. */
  | "unchecked";

export async function checked(signed: Signed, key: Schemas["SigningKey"], imageDigest: string): Promise<Verdict> {
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!subtle) return "unchecked";
  try {
    const { payloadType, payload, signature } = envelopeOf(signed);
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const imported = await subtle.importKey("spki", der(key.pem), algorithm, false, ["verify"]);
    const fits = await subtle.verify(algorithm, imported, joined(signature), encoded(payloadType, payload));
    if (!fits) return "does not fit";
    return subjectsOf(signed).includes(imageDigest) ? "fits" : "about another image";
  } catch {
    // What cannot be read has not been signed in a form that anybody could verify.
    return "does not fit";
  }
}

/** What is signed: DSSE's pre-authentication encoding (secure-systems-lab/dsse, protocol.md). */
function encoded(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const type = new TextEncoder().encode(payloadType);
  const head = new TextEncoder().encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const whole = new Uint8Array(head.length + payload.length);
  whole.set(head);
  whole.set(payload, head.length);
  return whole;
}

function der(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (character) => character.charCodeAt(0));
}

/**
 * Turn a signature as DER, a sequence of two integers, into the two beside each other with 32 bytes each, which is
 * how browsers take them.
 */
export function joined(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    const length = signature[at + 1] ?? 0;
    // A zero before the highest bit only says that the number is not negative.
    const digits = signature.subarray(at + 2, at + 2 + length);
    const integer = digits.length > 32 ? digits.subarray(digits.length - 32) : digits;
    whole.set(integer, end - integer.length);
    at += 2 + length;
  }
  return whole;
}
