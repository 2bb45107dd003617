import type { Schemas } from "../../api.ts";
import { Visible } from "../../content/visible.tsx";
import { Badge, Time } from "../../ui/index.ts";

/** The signatures that a registered image had beside it in its registry. */
export function Brought({ brought }: { brought: Schemas["BroughtSignatures"] }) {
  return (
    <section class="stack close" aria-labelledby="brought">
      <h3 id="brought">What the image brought from its registry</h3>
      <p class="muted">
        {brought.at ? <>Read <Time at={brought.at} />. </> : "It was never read. "}
        {!brought.complete && "Not all of it could be read. "}
        Nothing of it is verified here: the signature policy decides what counts.
      </p>
      {brought.signatures.length === 0 && <p>It brought no signatures.</p>}
      <ul class="stack">
        {brought.signatures.map((signature) => (
          <li key={signature.digest} class="card">
            <p class="row">
              <strong>{signature.kind ?? "something unknown"}</strong>
              {signature.predicate_type && <code><Visible text={signature.predicate_type} /></code>}
              {signature.about_this_image === false && <Badge tone="danger">about another image</Badge>}
            </p>
            {signature.signer && <Signer signer={signature.signer} />}
            {signature.problem && <p>It cannot be read: <Visible text={signature.problem} /></p>}
            <p class="small-text"><code>{signature.digest}</code></p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Signer({ signer }: { signer: Schemas["BroughtSigner"] }) {
  const said = [signer.subject, signer.issuer && `signed in by ${signer.issuer}`, signer.key_hint && `key ${signer.key_hint}`];
  return <p>By its own words from: <Visible text={said.filter(Boolean).join(", ")} /></p>;
}
