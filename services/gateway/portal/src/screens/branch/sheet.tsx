/** 签到表: the members of a branch as large rows to tick, with and without a network, and as a form on paper. */

import { useEffect, useState } from "preact/hooks";
import type { components } from "#document";
import { type Trouble, troubleOf } from "../../api/problems.ts";
import { Button, ButtonLink } from "../../components/buttons.tsx";
import { Asked } from "../../components/dialog.tsx";
import { ErrorSummary } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Notice, Tag } from "../../components/surfaces.tsx";
import { ReadingState, TroubleNotice, useAttempt } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { useDraft } from "../../shell/drafts.ts";
import { online, portal, useReading, useUnstored, words } from "../../shell/portal.ts";
import type { Params } from "../../shell/router.ts";
import { newId } from "../../store/ids.ts";
import { keepRoster, keptRoster, type Roster } from "../../store/roster.ts";
import { NetButton } from "./office.tsx";
import { PaperForm } from "./paper.tsx";
import { isOpen } from "./today.tsx";
import { says } from "./words.ts";

type Meeting = components["schemas"]["ActivityForMe"];
type Part = components["schemas"]["ParticipationOut"];

/** How many a paper list may have. */
const MOST = 500;
const PAGE = 200;

export function Sheet({ params }: { params: Params }) {
  const activity_id = params.activity_id as string;
  const meeting = useReading("activities", "/v1/activities/{activity_id}", { path: { activity_id } });
  const { sheet } = says.value;
  const told = meeting.data;
  return (
    <Page
      title={told && !isOpen(told) ? sheet.paperTitle : sheet.title}
      back="/branch"
      where={told && dayAndTime(told.starts_at)}
      lead={told?.title}
    >
      <ReadingState of={meeting} />
      {told?.status === "closed" && <Notice>{sheet.closed}</Notice>}
      {told && <People meeting={told} />}
    </Page>
  );
}

/** Asks for the names, page by page, and keeps them; what they are read for stands on record. */
async function askedRoster(organisation_id: string): Promise<Roster> {
  const people: Roster["people"] = [];
  let cursor: string | undefined;
  do {
    const query = { organisation_id, purpose: "attendance", limit: PAGE, ...(cursor && { cursor }) };
    const page = await portal.api.read("/v1/members", { query });
    people.push(...page.items.map(({ person_id, name, away }) => ({ person_id, name, away })));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && people.length < MOST);
  const roster = { organisation_id, people: people.slice(0, MOST), seen_at: Date.now() };
  await keepRoster(portal.database, roster);
  return roster;
}

/** Gives what is kept of the names, or asks for them; and what asks for them anew. */
function useRoster(organisation_id: string) {
  const [roster, setRoster] = useState<Roster | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const renew = async (): Promise<void> => {
    setTrouble(null);
    await askedRoster(organisation_id).then(setRoster, (error) => setTrouble(troubleOf(error)));
  };
  useEffect(() => {
    void keptRoster(portal.database, organisation_id).then((kept) => (kept ? setRoster(kept) : renew()));
  }, [organisation_id]);
  return { roster, trouble, renew };
}

function People({ meeting }: { meeting: Meeting }) {
  const { activity_id, organisation_id } = meeting;
  const { sheet } = says.value;
  const { roster, trouble, renew } = useRoster(organisation_id);
  const ops = portal.outbox.ops.value.filter(
    (each) => each.subject_id === activity_id && each.kind === "sheet.enter" && each.state !== "refused",
  );
  const op = ops[ops.length - 1];
  const handed = new Set(ops.flatMap(({ body }) => body.person_ids as string[]));
  const path = "/v1/activities/{activity_id}/participations";
  const found = useUnstored(path, { path: { activity_id }, query: { limit: PAGE } }, op?.state === "sent" ? 1 : 0);
  const [draft, keep] = useDraft<string[]>(`sheet ${activity_id}`);
  const ticked = draft ?? [];
  const [isEmpty, setEmpty] = useState(false);
  if (roster === null || draft === undefined) {
    if (trouble === null) return <p role="status">{words.value.loading}</p>;
    return online.value ? (
      <>
        <TroubleNotice trouble={trouble} />
        <Button onPress={renew}>{words.value.retry}</Button>
      </>
    ) : (
      <Notice wait>{sheet.none}</Notice>
    );
  }
  const parts = new Map(found.data?.items.map((part) => [part.person_id, part]));
  const isHere = (person_id: string) => handed.has(person_id) || parts.get(person_id)?.attended_at != null;
  const here = roster.people.filter(({ person_id }) => isHere(person_id) || ticked.includes(person_id));
  const added = here.filter(({ person_id }) => !isHere(person_id)).map(({ person_id }) => person_id);
  const canTick = meeting.status === "scheduled" && isOpen(meeting);
  const isEarly = meeting.status === "scheduled" && !canTick;
  const Row = isEarly ? "div" : "label";
  const toggle = (person_id: string) =>
    keep(ticked.includes(person_id) ? ticked.filter((each) => each !== person_id) : [...ticked, person_id]);
  const hand = async (): Promise<void> => {
    setEmpty(added.length === 0);
    if (added.length === 0) return;
    const body = { person_ids: added, mode: "in_person" };
    await portal.outbox.add({ kind: "sheet.enter", subject_id: activity_id, body, about: meeting.title });
    await keep(null);
  };
  return (
    <>
      <div class="screen-only stack">
        {isEarly && (
          <Notice>
            <p>{sheet.early(dayAndTime(meeting.starts_at))}</p>
            <Button onPress={() => print()}>{sheet.print}</Button>
          </Notice>
        )}
        {isEmpty && <ErrorSummary faults={[{ id: "names", text: sheet.nobody }]} />}
        <ul class="list" id="names" tabIndex={-1}>
          {roster.people.map(({ person_id, name, away }) => (
            <li key={person_id}>
              <Row class="tick">
                {!isEarly && (
                  <input
                    type="checkbox"
                    checked={isHere(person_id) || ticked.includes(person_id)}
                    disabled={!canTick || isHere(person_id)}
                    onChange={() => toggle(person_id)}
                  />
                )}
                <span>{name}</span>
                <Known part={parts.get(person_id)} isHanded={handed.has(person_id)} away={away} />
              </Row>
            </li>
          ))}
        </ul>
        <div class="row apart">
          <b role="status">
            {isEarly ? sheet.people(roster.people.length) : sheet.come(roster.people.length, here.length)}
          </b>
          {canTick && <Button onPress={hand}>{sheet.hand}</Button>}
        </div>
        {op && (
          <Notice>
            <p>{op.state === "sent" ? sheet.sent : sheet.handed}</p>
            <ButtonLink second to="/branch">
              {says.value.plan.back}
            </ButtonLink>
          </Notice>
        )}
        <p class="small">
          {sheet.asks} {sheet.kept(dayAndTime(roster.seen_at))}
        </p>
        {trouble !== null && <TroubleNotice trouble={trouble} seenAt={roster.seen_at} />}
        <div class="row">
          {!isEarly && (
            <Button second onPress={() => print()}>
              {sheet.print}
            </Button>
          )}
          <NetButton second onPress={renew}>
            {sheet.renew}
          </NetButton>
          {canTick && added.length === 0 && parts.size > 0 && op?.state !== "waiting" && <Closing meeting={meeting} />}
        </div>
      </div>
      <PaperForm meeting={meeting} people={roster.people} />
    </>
  );
}

/** What is known of a person's part already: the sheet adds nothing to who is here by phone. */
function Known({ part, isHanded, away }: { part: Part | undefined; isHanded: boolean; away: boolean }) {
  const { sheet } = says.value;
  if (part?.attended_at != null) {
    return <Tag tone="good">{part.provenance.includes("paper") ? sheet.paper : sheet.online}</Tag>;
  }
  if (isHanded) return <Tag tone="good">{sheet.paper}</Tag>;
  if (part?.registered_at != null) return <Tag>{sheet.registered}</Tag>;
  return away ? <Tag>{sheet.away}</Tag> : null;
}

function Closing({ meeting }: { meeting: Meeting }) {
  const { sheet } = says.value;
  const { attempt, trouble } = useAttempt();
  const [key] = useState(newId);
  const close = () =>
    attempt(async () => {
      await portal.api.send("POST", `/v1/activities/${meeting.activity_id}/closing`, null, key);
      await portal.subjects.refresh();
    });
  if (Date.now() < Date.parse(meeting.starts_at)) return null;
  return (
    <>
      {online.value && (
        <Asked second title={sheet.closeTitle} lead={sheet.closeLead} answer={sheet.close} onAnswer={close}>
          {sheet.close}
        </Asked>
      )}
      {trouble}
    </>
  );
}
