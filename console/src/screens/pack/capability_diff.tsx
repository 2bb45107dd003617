import type { Schemas } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { Notice } from "../../ui/index.ts";

type Rule = Schemas["CapabilityRule"];

/** What the later revision may do that the earlier one may not, and the other way round. */
export function CapabilityDiff({ capabilities, from, to }: {
  capabilities: Schemas["AllowedRequests"];
  from: number;
  to: number;
}) {
  const { widened, added, removed, example } = capabilities;
  return (
    <section class="stack close" aria-labelledby="capabilities">
      <h3 id="capabilities">Capabilities</h3>
      {widened && (
        <Notice tone="warning" title={`Revision ${to} may do more than revision ${from}.`}>
          {example && <p>For example, only it may ask for <code><Visible text={example} /></code>.</p>}
        </Notice>
      )}
      {!widened && <p>Revision {to} may do nothing that revision {from} may not.</p>}
      <Rules title="Allowed only after" rules={added} inAll={capabilities.added_in_all} />
      <Rules title="Allowed only before" rules={removed} inAll={capabilities.removed_in_all} />
    </section>
  );
}

/** Rules, each as a sentence of its parts. */
export function Rules({ title, rules, inAll }: { title: string; rules: readonly Rule[]; inAll?: number | undefined }) {
  if (rules.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul class="stack close">
        {rules.map((rule, index) => <li key={index} class="card rule"><RuleView rule={rule} /></li>)}
      </ul>
      {inAll !== undefined && inAll > rules.length && <p>These are the first of {inAll}.</p>}
    </>
  );
}

function RuleView({ rule }: { rule: Rule }) {
  const parts: readonly [string, readonly string[] | undefined][] = [
    ["hosts", rule.domains],
    ["methods", rule.methods],
    ["paths", rule.paths],
  ];
  return (
    <>
      <p><strong><Visible text={rule.name} /></strong> <span class="muted"><Visible text={rule.type} /></span></p>
      <dl class="facts small-text">
        {parts.flatMap(([name, values]) =>
          values
            ? [
                <dt key={name}>{name}</dt>,
                <dd key={`${name} values`} class="row">
                  {values.map((value) => <code key={value}><Visible text={value} /></code>)}
                </dd>,
              ]
            : [],
        )}
      </dl>
    </>
  );
}
