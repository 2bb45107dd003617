import { call, type Schemas } from "../../api.ts";
import { Badge, CopyLine, ErrorNotice, Loading, Time, useLoad } from "../../ui/index.ts";
import { QuotaMeters } from "../quota_meters.tsx";

type Organisation = Schemas["Organisation"];

/** What one organisation uses and may use, and the command that changes that. Each round asks again. */
export function OrganisationUsage({ org, round }: { org: string; round: number }) {
  const { data, error, reload } = useLoad(
    (signal) => call("get", "/operator/organisations/{org}", { params: { org }, signal }),
    [org, round],
  );
  if (error !== undefined) return <ErrorNotice error={error} onRetry={reload} />;
  return data ? <Shown organisation={data.body} /> : <Loading />;
}

function Shown({ organisation }: { organisation: Organisation }) {
  const { slug, usage } = organisation;
  return (
    <div class="stack">
      <h3>{slug}</h3>
      <p class="row">
        <code>{organisation.id}</code>
        <Badge tone={organisation.billing === "active" ? "good" : "warning"}>{organisation.billing}</Badge>
        {organisation.platform && <Badge tone="info">the operator’s own</Badge>}
        {organisation.trial_ends_at && <span>Its trial ends <Time at={organisation.trial_ends_at} />.</span>}
      </p>
      <QuotaMeters
        own={false}
        usage={usage}
        heading="h4"
        after={(quota) => (
          <p class="small-text">{usage[quota].set === "own" ? "Set for this organisation." : "As the deployment sets it."}</p>
        )}
      />
      <p>
        The command has the limits as they are now. Put in others: a number, <code>unlimited</code>, or <code>default</code> for the
        deployment’s.
      </p>
      <CopyLine
        text={`packyard admin --stack STACK quota set ${slug} ${limits(usage)}`}
        what={`the command that changes the quotas of ${slug}`}
      />
    </div>
  );
}

/** The limits as the command takes them: who copies it and changes nothing in it changes nothing. */
function limits(usage: Organisation["usage"]): string {
  return (Object.keys(usage) as (keyof Organisation["usage"])[])
    .map((quota) => `--${quota.replaceAll("_", "-")} ${usage[quota].set === "default" ? "default" : (usage[quota].limit ?? "unlimited")}`)
    .join(" ");
}
