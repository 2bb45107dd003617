import type { ComponentChildren } from "preact";
import { Button, Dialog, ErrorNotice } from "../ui/index.ts";
import { useAction } from "./action.ts";

interface Props {
  title: string;
  /** What happens, so that a person can decide. */
  children: ComponentChildren;
  /** What the button says: the act itself, never "OK". */
  act: string;
  /** Whether all that it needs is filled in. */
  ready?: boolean;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}

/** Ask before something that cannot be taken back. A refusal is shown here, where it was asked. */
export function Confirm({ title, children, act, ready = true, onConfirm, onClose }: Props) {
  const action = useAction();
  const confirm = async () => {
    if (await action.run(onConfirm)) onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {action.error !== undefined && <ErrorNotice error={action.error} />}
      <div class="row">
        <Button kind="danger" busy={action.busy} disabled={!ready} onClick={confirm}>{act}</Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Dialog>
  );
}
