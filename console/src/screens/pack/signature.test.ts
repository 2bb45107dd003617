import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { checked } from "./signature.ts";
import type { Signed } from "./statement.ts";

const IMAGE = `sha256:${"a".repeat(64)}`;
const PAYLOAD = Buffer.from(JSON.stringify({ subject: [{ digest: { sha256: "a".repeat(64) } }], predicate: {} }));
const TYPE = "application/vnd.in-toto+json";
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const KEY = { id: "k", hint: "", algorithm: "ECDSA_P256_SHA256", since: "", current: true } as const;
const OURS = { ...KEY, pem: publicKey.export({ type: "spki", format: "pem" }) as string };

function signed(payload = PAYLOAD): Signed {
  const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${PAYLOAD.length} `), PAYLOAD]);
  const sig = sign("sha256", encoded, privateKey).toString("base64");
  const dsseEnvelope = { payloadType: TYPE, payload: payload.toString("base64"), signatures: [{ sig }] };
  return { bundle: { dsseEnvelope } } as unknown as Signed;
}

describe("a signature", () => {
  // Each is random: its two numbers are shorter, or have a zero before them, now and then.
  test("fits what it was made over", async () => {
    for (let round = 0; round < 50; round += 1) expect(await checked(signed(), OURS, IMAGE)).toBe("fits");
  });

  test("does not fit another statement", async () => {
    expect(await checked(signed(Buffer.from("{}")), OURS, IMAGE)).toBe("does not fit");
    expect(await checked({ bundle: {} } as unknown as Signed, OURS, IMAGE)).toBe("does not fit");
  });

  test("does not fit another key", async () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const theirs = { ...KEY, pem: other.export({ type: "spki", format: "pem" }) as string };
    expect(await checked(signed(), theirs, IMAGE)).toBe("does not fit");
  });

  test("may be about another image", async () => {
    expect(await checked(signed(), OURS, `sha256:${"b".repeat(64)}`)).toBe("about another image");
  });
});
