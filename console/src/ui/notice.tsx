import type { ComponentChildren } from "preact";
import { ApiError } from "../api.ts";
import { Button } from "./button.tsx";
import { Copy } from "./copy.tsx";

interface Props {
  tone?: "info" | "success" | "warning" | "danger";
  title?: string;
  children?: ComponentChildren;
}

/** Something to know. Warnings and dangers are read out at once. */
export function Notice({ tone = "info", title, children }: Props) {
  const urgent = tone === "warning" || tone === "danger";
  return (
    <div class={`notice ${tone}`} role={urgent ? "alert" : "status"}>
      {title && <p class="notice-title">{title}</p>}
      {children}
    </div>
  );
}

interface ErrorProps {
  error: unknown;
  /** Fields that are shown beside their inputs already. */
  except?: readonly string[];
  onRetry?: () => void;
}

/** The same request would be refused again. */
const SETTLED: ReadonlySet<number> = new Set([400, 403, 404]);

/** A refusal in the service's own words, with all its fields and the id to ask about it. */
export function ErrorNotice({ error, except = [], onRetry }: ErrorProps) {
  const shown = error instanceof ApiError ? error : unexpected(error);
  const fields = Object.entries(shown.fields).filter(([name]) => !except.includes(name));
  return (
    <Notice tone="danger" title={shown.message}>
      {fields.length > 0 && (
        <dl class="faults">
          {fields.map(([name, fault]) => (
            <div key={name}>
              <dt><code>{name}</code></dt>
              <dd>{fault}</dd>
            </div>
          ))}
        </dl>
      )}
      {shown.requestId && (
        <p class="request-id">
          Request <code>{shown.requestId}</code> <Copy text={shown.requestId} what="the request id" />
        </p>
      )}
      {onRetry && !SETTLED.has(shown.status) && <Button onClick={onRetry}>Try again</Button>}
    </Notice>
  );
}

function unexpected(error: unknown): ApiError {
  return new ApiError(0, "page_error", `This page failed: ${error instanceof Error ? error.message : String(error)}`);
}
