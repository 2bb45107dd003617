import { useState } from "preact/hooks";
import { call, type Schemas } from "../api.ts";
import { link } from "../router.ts";
import { Button, ErrorNotice, Field } from "../ui/index.ts";
import { useAction } from "./action.ts";
import { given } from "./lists.ts";
import { useOnce } from "./once.ts";

type Publisher = Schemas["TrustedPublisher"];
type Kind = "github" | "gitlab" | "aws" | "other";

interface Claim {
  name: string;
  label: string;
  hint?: string;
  /** The name under which an all-digit value is sent: ids stay, names can be taken by others. */
  idName?: string;
}

const KINDS: Readonly<Record<Kind, { title: string; claims: readonly Claim[] }>> = {
  github: {
    title: "GitHub Actions",
    claims: [
      { name: "repository", label: "Repository", hint: "owner/name, or its id", idName: "repository_id" },
      { name: "workflow", label: "Workflow", hint: "The file that is started, such as release.yml" },
      { name: "environment", label: "Environment (optional)" },
      { name: "ref", label: "Ref (optional)", hint: "Such as refs/tags/v*" },
    ],
  },
  gitlab: {
    title: "GitLab",
    claims: [
      { name: "project_path", label: "Project", hint: "Its path, or its id", idName: "project_id" },
      { name: "environment", label: "Environment (optional)" },
      { name: "ref", label: "Ref (optional)", hint: "Such as refs/tags/v*" },
    ],
  },
  aws: {
    title: "AWS",
    claims: [{ name: "role_arn", label: "Role’s ARN", hint: "arn:aws:iam::123456789012:role/publish" }],
  },
  other: { title: "Another issuer", claims: [] },
};

/** Say whose CI may publish a pack. */
export function PublisherForm({ onAdded }: { onAdded: (publisher: Publisher) => void }) {
  const [pack, setPack] = useState("");
  const [kind, setKind] = useState<Kind>("github");
  const [issuer, setIssuer] = useState("");
  const [claims, setClaims] = useState<Readonly<Record<string, string>>>({});
  const [others, setOthers] = useState("");
  const [events, setEvents] = useState("");
  const action = useAction();
  const once = useOnce();
  const submit = (event: Event) => {
    event.preventDefault();
    void action.run(async () => {
      const body = {
        pack_name: pack.trim(),
        ...(kind === "other" ? { issuer: issuer.trim() } : { issuer: kind, ...given({ issuer_url: issuer.trim() }) }),
        claims: { ...claimsOf(kind, claims), ...claimLines(others) },
        ...given({ events: words(events) }),
      };
      const { body: publisher } = await call("post", "/trusted-publishers", { body, headers: once.headers(body) });
      once.done();
      onAdded(publisher);
    });
  };
  const text = (label: string, value: string, set: (value: string) => void, more: { hint?: string; fault?: string | undefined } = {}) => (
    <Field label={label} {...(more.hint === undefined ? {} : { hint: more.hint })} error={more.fault}>
      <input value={value} autocomplete="off" spellcheck={false} onInput={(event) => set(event.currentTarget.value)} />
    </Field>
  );
  const shownFields = ["pack_name", "issuer", "issuer_url", "events", "claims", ...KINDS[kind].claims.flatMap(fieldsOf)];
  return (
    <section class="card">
      <h2>A new trusted publisher</h2>
      <form onSubmit={submit} noValidate>
        {text("Pack", pack, setPack, {
          hint: "Its name, such as slack. There need not be such a pack yet",
          fault: action.fault("pack_name"),
        })}
        <Field label="Whose CI">
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
            {(Object.keys(KINDS) as Kind[]).map((each) => <option key={each} value={each}>{KINDS[each].title}</option>)}
          </select>
        </Field>
        {KINDS[kind].claims.map((claim) => (
          <div key={claim.name} class="field">
            {text(claim.label, claims[claim.name] ?? "", (value) => setClaims({ ...claims, [claim.name]: value }), {
              ...(claim.hint === undefined ? {} : { hint: claim.hint }),
              fault: fieldsOf(claim).map(action.fault).find(Boolean),
            })}
          </div>
        ))}
        {text(kind === "other" ? "Issuer" : "Issuer’s URL (optional)", issuer, setIssuer, {
          hint: kind === "other" ? "https://…, the claim iss of its tokens" : "For one of your own",
          fault: action.fault(kind === "other" ? "issuer" : "issuer_url"),
        })}
        <Field
          label={kind === "other" ? "Claims" : "Other claims (optional)"}
          hint="name=value, one a line, exactly as the token has them"
          error={action.fault("claims")}
        >
          <textarea rows={3} spellcheck={false} value={others} onInput={(event) => setOthers(event.currentTarget.value)} />
        </Field>
        {text("Events (optional)", events, setEvents, {
          hint: "Empty: pushes, tags, releases, schedules and dispatches. Otherwise all that may publish, with spaces between",
          fault: action.fault("events"),
        })}
        {action.error !== undefined && <ErrorNotice error={action.error} except={shownFields} />}
        <div class="row">
          <Button kind="primary" type="submit" busy={action.busy}>Add the publisher</Button>
          <a href={link(["publishers"])}>Add none</a>
        </div>
      </form>
    </section>
  );
}

function fieldsOf({ name, idName }: Claim): string[] {
  return [name, idName].filter((each) => each !== undefined).map((each) => `claims.${each}`);
}

function claimsOf(kind: Kind, typed: Readonly<Record<string, string>>): Record<string, string> {
  const claims: Record<string, string> = {};
  for (const { name, idName } of KINDS[kind].claims) {
    const value = typed[name]?.trim() ?? "";
    if (value !== "") claims[idName !== undefined && /^\d+$/.test(value) ? idName : name] = value;
  }
  // arn:aws:iam::123456789012:role/publish names the account too.
  const account = claims["role_arn"]?.split(":")[4];
  return account ? { account, ...claims } : claims;
}

function claimLines(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

function words(text: string): string[] | undefined {
  const found = text.split(/[\s,]+/).filter((word) => word !== "");
  return found.length > 0 ? found : undefined;
}
