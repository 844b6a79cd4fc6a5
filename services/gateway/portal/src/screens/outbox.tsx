/** 待发送: what was done here and is not sent yet, what was not taken and why, what was sent last. */

import { SignInNeeded } from "../api/problems.ts";
import { isRefused, whyNot } from "../components/act.tsx";
import { Button } from "../components/buttons.tsx";
import { Asked } from "../components/dialog.tsx";
import { Page } from "../components/page.tsx";
import { Card, Tag, type Tone } from "../components/surfaces.tsx";
import { FRESH, StepUp, stepUpOf, TroubleNotice } from "../components/trouble.tsx";
import { day, dayAndTime } from "../shell/dates.ts";
import { portal, words } from "../shell/portal.ts";
import type { Op, OpState } from "../store/database.ts";
import { lastDay } from "./attendance.tsx";

const TONES: Record<OpState, Tone> = {
  waiting: "warn",
  sending: "warn",
  sent: "good",
  refused: "late",
  conflict: "late",
};
/** What needs the person stands first, what is done last. */
const ORDER: readonly OpState[] = ["refused", "conflict", "sending", "waiting", "sent"];

export function OutboxScreen() {
  const { outbox: says } = words.value;
  const ops = [...portal.outbox.ops.value].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const unsent = portal.outbox.unsent.length;
  return (
    <Page title={says.title} lead={ops.length === 0 ? says.nothing : says.lead} back="/me">
      {portal.session.ended.value && unsent > 0 && <TroubleNotice trouble={new SignInNeeded()} />}
      {unsent > 0 && <Button onPress={() => portal.outbox.flush()}>{says.send}</Button>}
      {ops.map((op) => (
        <OpCard key={op.op_id} op={op} />
      ))}
    </Page>
  );
}

function OpCard({ op }: { op: Op }) {
  const { outbox: says } = words.value;
  const isOver = isRefused(op);
  const acr = stepUpOf(op.result);
  const discard = () => portal.outbox.discard(op.op_id);
  return (
    <Card due={isOver}>
      <div class="row apart">
        <Tag tone={TONES[op.state]}>{says[op.state]}</Tag>
        <span class="small">{dayAndTime(op.acted_at)}</span>
      </div>
      <h2>{op.about}</h2>
      <p>{says.kinds[op.kind] ?? op.kind}</p>
      {op.kind === "attend" && op.state === "waiting" && <p>{words.value.checkIn.saved(day(lastDay(op.acted_at)))}</p>}
      {isOver && <p>{whyNot(op)}</p>}
      {op.state === "waiting" && acr !== undefined && <StepUp proof={{ acr_values: acr, max_age: FRESH }} />}
      <div class="row">
        {op.state === "conflict" && <Button onPress={() => portal.outbox.again(op)}>{says.again}</Button>}
        {isOver && (
          <Button second onPress={discard}>
            {says.known}
          </Button>
        )}
        {op.state === "waiting" && (
          <Asked second title={says.discardTitle} lead={says.discardLead} answer={says.discard} onAnswer={discard}>
            {says.discard}
          </Asked>
        )}
      </div>
    </Card>
  );
}
