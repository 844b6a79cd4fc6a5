/** Meetings and other activities: those to come, one with all that is told of it, and checking in at its door. */

import { CalendarDays } from "lucide";
import { NoNetwork } from "../api/problems.ts";
import { Done, isRefused, lastAct } from "../components/act.tsx";
import { ButtonLink } from "../components/buttons.tsx";
import { Page } from "../components/page.tsx";
import { Card, Deadline, Facts, List, ListRow, Notice } from "../components/surfaces.tsx";
import { ReadingState } from "../components/trouble.tsx";
import { dayAndTime, span } from "../shell/dates.ts";
import { useReading, words } from "../shell/portal.ts";
import type { Params } from "../shell/router.ts";
import { type Activity, CheckInButtons, phaseOf, TakePart, usePhase } from "./attendance.tsx";

const MOST = 100;
const byStart = (one: { starts_at: string }, other: { starts_at: string }): number =>
  Date.parse(one.starts_at) - Date.parse(other.starts_at);

/** What is to come and what may still be checked in to; an activity that is closed is over. */
export function Activities() {
  const { activities: says } = words.value;
  const found = useReading("activities", "/v1/activities", { query: { status: "scheduled", limit: MOST } });
  const items = (found.data?.items ?? []).filter((each) => phaseOf(each) !== "late").sort(byStart);
  const over = items.filter((each) => phaseOf(each) === "over");
  const toCome = items.filter((each) => !over.includes(each));
  const isEmpty = found.data !== undefined && items.length === 0;
  return (
    <Page title={says.title} back="/" lead={isEmpty ? says.nothing : undefined}>
      <ReadingState of={found} />
      {isEmpty && <ButtonLink to="/courses">{says.learn}</ButtonLink>}
      <Rows items={toCome} />
      {over.length > 0 && <h2>{says.over}</h2>}
      <Rows items={over} />
    </Page>
  );
}

function Rows({ items }: { items: readonly Omit<Activity, "my_participation">[] }) {
  if (items.length === 0) return null;
  return (
    <List>
      {items.map(({ activity_id, title, starts_at, place }) => {
        const lead = [dayAndTime(starts_at), place].filter(Boolean).join(" · ");
        return <ListRow key={activity_id} title={title} lead={lead} to={`/activities/${activity_id}`} />;
      })}
    </List>
  );
}

function useActivity(params: Params) {
  const activity_id = params.activity_id ?? "";
  const reading = useReading("activities", "/v1/activities/{activity_id}", { path: { activity_id } });
  return { activity_id, reading, activity: reading.data };
}

export function Meeting({ params }: { params: Params }) {
  const { activities: says } = words.value;
  const { reading, activity } = useActivity(params);
  return (
    <Page title={activity?.title ?? says.one} back="/" where={activity && (says.kinds[activity.kind] ?? says.one)}>
      <ReadingState of={reading} />
      {activity && <Told activity={activity} seenAt={reading.seenAt} />}
      <List>
        <ListRow icon={CalendarDays} title={says.others} to="/activities" />
      </List>
    </Page>
  );
}

function Told({ activity, seenAt }: { activity: Activity; seenAt: number | undefined }) {
  const { activities: says } = words.value;
  const phase = usePhase(activity);
  const { starts_at, ends_at, place, join_url, agenda } = activity;
  return (
    <>
      <Card due={phase === "open"}>
        <div class="row apart">{(phase === "early" || phase === "open") && <Deadline at={starts_at} dated />}</div>
        <Facts
          of={[
            [says.when, span(starts_at, ends_at)],
            [says.where, place],
          ]}
        />
        <TakePart activity={activity} seenAt={seenAt} />
      </Card>
      {join_url && phase !== "closed" && phase !== "late" && (
        <>
          <h2>{says.away}</h2>
          <p class="lead">{says.awayLead}</p>
          <ButtonLink second address={join_url}>
            {says.join}
          </ButtonLink>
        </>
      )}
      {agenda.length > 0 && (
        <>
          <h2>{says.agenda}</h2>
          <ol>
            {agenda.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}

/** Where the code on the wall leads: one press and one is checked in, with or without a network. */
export function CheckIn({ params }: { params: Params }) {
  const { checkIn: says, activities } = words.value;
  const { activity_id, reading, activity } = useActivity(params);
  const isUnknown = activity === undefined && reading.trouble instanceof NoNetwork;
  return (
    <Page title={says.title} back={`/activities/${activity_id}`} lead={activity?.title}>
      {activity && (
        <Card>
          <Facts
            of={[
              [activities.when, span(activity.starts_at, activity.ends_at)],
              [activities.where, activity.place],
            ]}
          />
          <TakePart activity={activity} seenAt={reading.seenAt} />
        </Card>
      )}
      {isUnknown ? <Unknown activity_id={activity_id} /> : <ReadingState of={reading} />}
    </Page>
  );
}

/** Without a network the phone may not know the activity yet; the check-in is kept all the same. */
function Unknown({ activity_id }: { activity_id: string }) {
  const { checkIn: says, activities } = words.value;
  const act = lastAct("attend", activity_id);
  if (act !== undefined && !isRefused(act)) return <Done what={says.done(dayAndTime(act.acted_at))} act={act} />;
  return (
    <>
      <Notice>{says.unknown}</Notice>
      <CheckInButtons activity_id={activity_id} about={activities.one} remote />
    </>
  );
}
