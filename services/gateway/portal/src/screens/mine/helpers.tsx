/** 帮我办事的人: who acts or acted for oneself, with what one agreed to, and an end to it at any time. */

import type { components } from "#document";
import { Button } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { Card, Tag } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { dayAndTime, time } from "../../shell/dates.ts";
import { portal, spoken, useLater, useReading } from "../../shell/portal.ts";
import { href } from "../../shell/router.ts";
import { newId, shortOf } from "../../store/ids.ts";
import { says as mine } from "./words.ts";

type Assisted = components["schemas"]["AssistedSessionOut"];
const GOING_ON: readonly string[] = ["asked", "consented", "active"];

export function Helpers() {
  const sessions = useReading("profile", "/v1/me/assisted-sessions");
  const { helpers: says } = mine.value;
  const isEmpty = sessions.data !== undefined && sessions.data.items.length === 0;
  return (
    <Page title={says.title} lead={isEmpty ? says.nobody : says.lead} back="/me">
      <ReadingState of={sessions} />
      {sessions.data?.items.map((each) => (
        <SessionCard key={each.assist_id} of={each} />
      ))}
      <AskForHelp />
    </Page>
  );
}

/** What a helper scans: the address at which they ask this person for their consent. */
function AskForHelp() {
  const { helpers: says } = mine.value;
  const id = useReading("profile", "/v1/me").data?.person_id;
  const qr = useLater(() => import("../../components/qr.tsx"));
  if (id === undefined || qr === undefined) return null;
  return (
    <Card>
      <h2>{says.ask}</h2>
      <p>{says.askLead(shortOf(id))}</p>
      <qr.Qr text={`${location.origin}${href(`/me/assist/${id}`)}`} title={says.code} />
    </Card>
  );
}

function SessionCard({ of }: { of: Assisted }) {
  const actions = useReading("profile", "/v1/assisted-sessions/actions", { query: { limit: 200 } });
  const { attempt, trouble } = useAttempt();
  const { helpers: says } = mine.value;
  const isGoingOn = GOING_ON.includes(of.status);
  const titleOf = (action: string): string => {
    const known = actions.data?.items.find((each) => each.action === action);
    return (known && spoken(known.title_zh, known.title_en)) ?? action;
  };
  const end = () =>
    attempt(async () => {
      await portal.api.send("POST", `/v1/assisted-sessions/${of.assist_id}/end`, null, newId());
      await portal.subjects.refresh("profile");
    });
  return (
    <Card due={isGoingOn}>
      <div class="row apart">
        <h2>{says.from(of.organisation_name)}</h2>
        <Tag tone={isGoingOn ? "warn" : "plain-tag"}>{says.status[of.status] ?? of.status}</Tag>
      </div>
      {actions.data !== undefined && <p>{says.may(of.actions.map(titleOf))}</p>}
      <p class="small">
        {dayAndTime(of.consented_at ?? of.asked_at)}
        {isGoingOn && of.expires_at != null && ` · ${says.until(time(of.expires_at))}`}
      </p>
      {isGoingOn && (
        <div class="row">
          <Button onPress={end}>{says.end}</Button>
        </div>
      )}
      {trouble}
    </Card>
  );
}
