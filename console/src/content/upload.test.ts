import { expect, test } from "vitest";

import { NotStored, sendStaged, type StartedUpload, type Upload, type UploadProgress, type UploadWire } from "./upload.ts";

const STARTED: StartedUpload = {
  upload_id: "upl_1",
  status: "awaiting_archive",
  expires_at: "2026-01-01T01:00:00Z",
  url: "https://staging.example/",
  fields: { key: "uploads/1", policy: "p" },
  max_bytes: 1000,
};
const ARCHIVE = new Blob(["archive"]);
const lost = new TypeError("Failed to fetch");

type Answer<T> = T | Error;

function wire(given: {
  starts?: Answer<StartedUpload>[];
  states: Answer<Upload["status"]>[];
  posts: Answer<number>[];
  now?: number;
}): UploadWire & { forms: FormData[] } {
  const next = <T>(answers: Answer<T>[]): Promise<T> => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as T);
  };
  const forms: FormData[] = [];
  const starts = given.starts ?? [STARTED];
  return {
    forms,
    start: () => next(starts),
    state: async () => ({ ...STARTED, status: await next(given.states) }),
    post: async (_, form, onBytes) => {
      forms.push(form);
      const status = await next(given.posts);
      onBytes(1e9);
      return status;
    },
    isLost: (failure) => failure === lost,
    pause: () => Promise.resolve(),
    now: () => given.now ?? Date.parse("2026-01-01T00:00:00Z"),
  };
}

async function sent(told: ReturnType<typeof wire>): Promise<{ upload: Upload; steps: UploadProgress["step"][] }> {
  const steps: UploadProgress["step"][] = [];
  const upload = await sendStaged(ARCHIVE, told, ({ step }) => steps.push(step), () => undefined);
  return { upload, steps };
}

test("an archive is sent once, as the form's last part, and waited for", async () => {
  const told = wire({ states: ["awaiting_archive", "building", "done"], posts: [204] });
  const { upload, steps } = await sent(told);
  expect(upload.status).toBe("done");
  expect(told.forms.map((form) => [...form.keys()])).toEqual([["key", "policy", "file"]]);
  expect(steps).toEqual(["starting", "sending", "sending", "building", "building"]);
});

test("a lost connection is waited out, and the archive is sent again with the same form", async () => {
  const told = wire({ starts: [lost, STARTED], states: [lost, "awaiting_archive", "done"], posts: [lost, 503, 204] });
  told.state = (() => {
    const states = [lost, "awaiting_archive", "awaiting_archive", "done"];
    return () => {
      const state = states.shift();
      return state instanceof Error ? Promise.reject(state) : Promise.resolve({ ...STARTED, status: state } as Upload);
    };
  })();
  expect((await sent(told)).upload.status).toBe("done");
  expect(told.forms).toHaveLength(3);
});

test("an archive that arrived although the answer was lost is not sent again", async () => {
  const told = wire({ states: ["building", "done"], posts: [lost] });
  expect((await sent(told)).upload.status).toBe("done");
  expect(told.forms).toHaveLength(1);
});

test("a form that is over is not tried for ever", async () => {
  const told = wire({ states: ["awaiting_archive"], posts: [lost], now: Date.parse("2026-01-01T02:00:00Z") });
  await expect(sent(told)).rejects.toThrow(NotStored);
});

test("a refusal by the store is told, and not tried again", async () => {
  const told = wire({ states: ["awaiting_archive"], posts: [403] });
  await expect(sent(told)).rejects.toThrow("answered 403");
  expect(told.forms).toHaveLength(1);
});

test("a refusal by the service is passed on", async () => {
  const refused = new Error("quota");
  await expect(sent(wire({ starts: [refused], states: [], posts: [] }))).rejects.toBe(refused);
});
