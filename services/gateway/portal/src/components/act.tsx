/** What was done here with a thing and is not in what the system tells of it yet, and what it did not take. */

import { CheckCheck } from "lucide";
import { portal, words } from "../shell/portal.ts";
import type { Op } from "../store/database.ts";
import { Icon } from "./icon.tsx";
import { Notice } from "./surfaces.tsx";

/** The newest act of a kind: one that waits, was not taken, or took effect after the system told of it (`seenAt`). */
export function lastAct(kind: string, subject_id: string, seenAt = 0): Op | undefined {
  const acts = portal.outbox.ops.value.filter((op) => op.kind === kind && op.subject_id === subject_id);
  const last = acts[acts.length - 1];
  return last?.state === "sent" && (last.settled_at ?? 0) < seenAt ? undefined : last;
}

export const isRefused = (op: Op | undefined): boolean => op?.state === "refused" || op?.state === "conflict";
/** Why an act was not taken, in the system's words. */
export const whyNot = ({ result }: Op): string => [result?.title, result?.detail].filter(Boolean).join(" ");

/** Names an act that home offers: its operation, and of one that can be done in several ways, which. */
export const actName = ({
  operation_id,
  body,
}: {
  operation_id: string;
  body: Record<string, unknown> | null;
}): string => [operation_id, body?.mode].filter(Boolean).join(" ");

/** Says what is done; with its act whether that is only on the phone yet. */
export function Done({ what, act }: { what: string; act?: Op | undefined }) {
  const { home, outbox } = words.value;
  return (
    <span class="done" role="status">
      <Icon of={CheckCheck} />
      <span>
        {what}
        {act && ` · ${act.state === "sent" ? outbox.sent : home.saved}`}
      </span>
    </span>
  );
}

/** Says why an act was not taken, and what to do instead. */
export function RefusedAct({ act, instead }: { act: Op; instead: string }) {
  return (
    <Notice wait alert>
      <p>
        <b>{act.result?.title ?? words.value.outbox.refused}</b>
      </p>
      {act.result?.detail && <p>{act.result.detail}</p>}
      <p>{instead}</p>
    </Notice>
  );
}
