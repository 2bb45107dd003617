import { useRef } from "preact/hooks";

/** A new `Idempotency-Key`. `crypto.randomUUID` is missing where the page came without https. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Return headers by which the same request is carried out once, however often a person presses the button.
 *
 * Another request gets another key, and so does the same one after `done`.
 */
export function useOnce(): { headers: (request: unknown) => Readonly<Record<string, string>>; done: () => void } {
  const held = useRef<{ request: string; key: string }>();
  return {
    headers(request) {
      const text = JSON.stringify(request);
      if (held.current?.request !== text) held.current = { request: text, key: newKey() };
      return { "Idempotency-Key": held.current.key };
    },
    done() {
      held.current = undefined;
    },
  };
}
