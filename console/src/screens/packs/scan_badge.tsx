import { Badge, type Tone } from "../../ui/index.ts";
import type { ScanStatus } from "./scan_status.ts";

const SHOWN: Readonly<Record<ScanStatus, readonly [string, Tone]>> = {
  passed: ["scan passed", "good"],
  findings: ["scan findings", "warning"],
  blocked: ["blocked by the scan", "danger"],
  incomplete: ["scan incomplete", "warning"],
  not_scanned: ["not scanned", "neutral"],
};

export function ScanBadge({ status, href }: { status: ScanStatus; href?: string }) {
  const [text, tone] = SHOWN[status];
  const badge = <Badge tone={tone}>{text}</Badge>;
  return href ? <a href={href}>{badge}</a> : badge;
}
