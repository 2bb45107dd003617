/** Taking a revision back, and giving it free again. */
import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { Button, Field } from "../../ui/index.ts";

interface Props {
  id: string;
  revision: number;
  withdrawn: boolean;
  onDone: () => void;
}

/** The button at a revision, and the question that it asks. */
export function Withdrawal({ id, revision, withdrawn, onDone }: Props) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const params = { id, n: revision };
  const withdraw = async () => {
    await call("post", "/packs/{id}/revisions/{n}/withdrawal", { params, body: { reason: reason.trim() } });
    onDone();
  };
  const restore = async () => {
    await call("delete", "/packs/{id}/revisions/{n}/withdrawal", { params });
    onDone();
  };
  const close = () => setAsking(false);
  return (
    <>
      <Button aria-label={`${withdrawn ? "Restore" : "Withdraw"} revision ${revision}`} onClick={() => setAsking(true)}>
        {withdrawn ? "Restore" : "Withdraw"}
      </Button>
      {asking && withdrawn && (
        <Confirm title={`Restore revision ${revision}?`} act="Restore" onConfirm={restore} onClose={close}>
          <p>Roles can pin it again, and so can every revision that has the same content.</p>
        </Confirm>
      )}
      {asking && !withdrawn && (
        <Confirm
          title={`Withdraw revision ${revision}?`}
          act="Withdraw"
          ready={reason.trim() !== ""}
          onConfirm={withdraw}
          onClose={close}
        >
          <p>
            No role can newly pin it, or any revision that has the same content. Roles that pin it keep it, and are marked.
            If it is the present one, other organisations do not find the pack any more. You can restore it.
          </p>
          <Field label="Reason" hint="Your organisation reads it">
            <textarea rows={2} maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </Field>
        </Confirm>
      )}
    </>
  );
}
