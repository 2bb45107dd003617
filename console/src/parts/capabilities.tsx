import type { Schemas } from "../api.ts";
import { Visible } from "../content/visible.tsx";

type Rule = Schemas["CapabilityRule"];

interface Change {
  added: readonly Rule[];
  added_in_all?: number;
  removed: readonly Rule[];
  removed_in_all?: number;
  example?: string;
}

/** What a change of capabilities allows and no longer allows, rule by rule, as the service answers it. */
export function CapabilityChanges({ change }: { change: Change }) {
  const { added, removed } = change;
  if (added.length === 0 && removed.length === 0) return <p>The same requests are allowed as before.</p>;
  return (
    <div class="stack close">
      <Rules title="Becomes allowed" tone="widened" rules={added} inAll={change.added_in_all} />
      {change.example && <p class="small-text">Newly allowed, for example: <code><Visible text={change.example} /></code></p>}
      <Rules title="Is no longer allowed" tone="narrowed" rules={removed} inAll={change.removed_in_all} />
    </div>
  );
}

interface RulesProps {
  title: string;
  tone: "widened" | "narrowed";
  rules: readonly Rule[];
  inAll: number | undefined;
}

function Rules({ title, tone, rules, inAll = rules.length }: RulesProps) {
  if (rules.length === 0) return null;
  return (
    <div class={`rules ${tone}`}>
      <h4>{title}</h4>
      <ul>
        {rules.map((rule) => <li key={JSON.stringify(rule)}><RuleText rule={rule} /></li>)}
        {inAll > rules.length && <li>and {(inAll - rules.length).toLocaleString("en")} more</li>}
      </ul>
    </div>
  );
}

function RuleText({ rule }: { rule: Rule }) {
  if (!rule.domains?.length) {
    return <><Value text={rule.name} />: no rules, so the runtime decides what its type <Value text={rule.type} /> allows</>;
  }
  const methods = rule.methods?.includes("*") ? "every method" : rule.methods?.join(", ");
  const paths = rule.paths?.length ? rule.paths : ["/**"];
  return (
    <>
      <Value text={rule.name} />: {methods} to <Value text={rule.domains.join(", ")} />,{" "}
      {paths.includes("/**") ? "every path" : <>paths <Value text={paths.join(", ")} /></>}
    </>
  );
}

/** What the pack's author wrote. */
function Value({ text }: { text: string }) {
  return <code><Visible text={text} /></code>;
}
