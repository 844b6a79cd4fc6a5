/** Planning a meeting: kind, time and place filled in as the branch's cycle and its last meeting have it. */

import { useState } from "preact/hooks";
import type { components } from "#document";
import { ButtonLink } from "../../components/buttons.tsx";
import { Choices, ErrorSummary, Field, Select } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Notice } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { day, time } from "../../shell/dates.ts";
import { portal, useReading, words } from "../../shell/portal.ts";
import { newId } from "../../store/ids.ts";
import { NetButton, useBranch, useNameOf } from "./office.tsx";
import { says } from "./words.ts";

type Meeting = components["schemas"]["ActivityOut"];
type Kind = components["schemas"]["ScheduleActivity"]["kind"];

/** How many months each kind's cycle has, in the order in which they are proposed. */
const CYCLES: readonly [Kind, number][] = [
  ["theme_day", 1],
  ["branch_meeting", 3],
  ["party_class", 3],
  ["committee_meeting", 1],
  ["group_meeting", 1],
  ["organisational_life_meeting", 12],
  ["democratic_review", 12],
];
/** Those that are called after their quarter. */
const QUARTERLY = new Set<Kind>(CYCLES.flatMap(([kind, months]) => (months === 3 ? kind : [])));
const DAY = 86_400_000;
/** How far ahead a meeting is planned, and when one may begin: every half hour from six in the morning to ten at night. */
const DAYS = Array.from({ length: 92 }, (_, days) => days);
const TIMES = Array.from(
  { length: 33 },
  (_, at) => `${String(6 + (at >> 1)).padStart(2, "0")}:${at % 2 ? "30" : "00"}`,
);
/** China is eight hours ahead of the world's clock, the whole year. */
const AHEAD = 8 * 3_600_000;

interface Form {
  kind: Kind;
  title: string;
  date: string;
  time: string;
  minutes: string;
  place: string;
  join_url: string;
  agenda: string;
}

const nameOf = (kind: Kind): string => words.value.activities.kinds[kind] ?? kind;
const local = (moment: number | string) => new Date(new Date(moment).getTime() + AHEAD).toISOString();
const momentOf = ({ date, time }: Form) => new Date(`${date}T${time}:00+08:00`);

/** Gives the kind whose turn it is: the first of which there was none since its cycle began. */
export function dueKind(meetings: readonly Meeting[], now: number): Kind {
  const [year, month] = local(now).split("-").map(Number) as [number, number];
  const begins = (months: number) =>
    new Date(Date.UTC(year, Math.floor((month - 1) / months) * months) - AHEAD).toISOString();
  const isThere = (kind: Kind, months: number) =>
    meetings.some((each) => each.kind === kind && new Date(each.starts_at).toISOString() >= begins(months));
  return CYCLES.find(([kind, months]) => !isThere(kind, months))?.[0] ?? "theme_day";
}

/** Fills the form in: the day three days from now, the rest as the last meeting of that kind had it. */
function filled(kind: Kind, meetings: readonly Meeting[]): Form {
  const last = meetings.find((each) => each.kind === kind);
  const date = local(Date.now() + 3 * DAY).slice(0, 10);
  const [, month] = date.split("-").map(Number) as [number, number];
  const { ofQuarter, ofMonth } = says.value.plan;
  const lasted = last && (Date.parse(last.ends_at) - Date.parse(last.starts_at)) / 60_000;
  return {
    kind,
    date,
    title: QUARTERLY.has(kind) ? ofQuarter(nameOf(kind), Math.ceil(month / 3)) : ofMonth(nameOf(kind), month),
    time: last ? local(last.starts_at).slice(11, 16) : "19:00",
    minutes: String(lasted) in says.value.plan.minutes ? String(lasted) : "90",
    place: (last ?? meetings.find((each) => each.kind !== "theme_day"))?.place ?? "", // a theme day is out of doors
    join_url: last?.join_url ?? "",
    agenda: "",
  };
}

export function Plan() {
  const { plan } = says.value;
  const { id } = useBranch();
  const name = useNameOf(id);
  const query = { organisation_id: id ?? "", limit: 50 };
  const found = useReading("activities", "/v1/activities", { query: id === undefined ? {} : query });
  return (
    <Page title={plan.title} back="/branch" where={name}>
      <ReadingState of={found} />
      {id !== undefined && found.data && <PlanForm branch={id} meetings={found.data.items} />}
    </Page>
  );
}

function PlanForm({ branch, meetings }: { branch: string; meetings: readonly Meeting[] }) {
  const { plan } = says.value;
  const [form, setForm] = useState(() => filled(dueKind(meetings, Date.now()), meetings));
  const [faults, setFaults] = useState<readonly { id: string; text: string }[]>([]);
  const { attempt, trouble } = useAttempt();
  const [activity_id] = useState(newId);
  const [isDone, setDone] = useState(false);
  const set = (name: keyof Form) => (value: string) => setForm({ ...form, [name]: value });
  /** What a field of the form has in common with the others. */
  const of = (id: keyof Form) => ({
    id,
    value: form[id],
    onValue: set(id),
    fault: faults.find((each) => each.id === id)?.text,
  });
  const publish = async (): Promise<void> => {
    const found = faultsOf(form);
    setFaults(found);
    if (found.length > 0) return;
    await attempt(async () => {
      await portal.api.send("POST", "/v1/activities", bodyOf(form, branch, activity_id), activity_id);
      setDone(true);
      scrollTo(0, 0);
      await portal.subjects.refresh();
    });
  };
  if (isDone) {
    return (
      <>
        <Notice>
          <p>
            <b>{form.title}</b>
          </p>
          <p>{plan.done}</p>
        </Notice>
        <ButtonLink to={`/branch/activities/${activity_id}/sheet`}>{plan.print}</ButtonLink>
        <ButtonLink second to="/branch">
          {plan.back}
        </ButtonLink>
      </>
    );
  }
  return (
    <>
      <ErrorSummary faults={faults} />
      <Choices
        legend={plan.kind}
        value={form.kind}
        options={CYCLES.map(([value]) => ({ value, label: nameOf(value) }))}
        onValue={(kind) => setForm(filled(kind, meetings))}
      />
      {meetings.some((each) => each.kind === form.kind) && <p class="small">{plan.asLast}</p>}
      <Field {...of("title")} label={plan.name} input={{ maxLength: 200 }} />
      <div class="pair">
        <Select {...of("date")} label={plan.date}>
          {DAYS.map((days) => {
            const date = local(Date.now() + days * DAY).slice(0, 10);
            return (
              <option key={date} value={date}>
                {day(`${date}T12:00+08:00`)}
              </option>
            );
          })}
        </Select>
        <Select {...of("time")} label={plan.time}>
          {[...new Set([...TIMES, form.time])].sort().map((each) => (
            <option key={each} value={each}>
              {time(`2026-01-01T${each}+08:00`)}
            </option>
          ))}
        </Select>
      </div>
      <Choices
        legend={plan.lasts}
        value={form.minutes}
        options={Object.entries(plan.minutes).map(([value, label]) => ({ value, label }))}
        onValue={set("minutes")}
      />
      <Field {...of("place")} label={plan.place} input={{ maxLength: 200 }} />
      <Field {...of("agenda")} label={plan.agenda} hint={plan.agendaHint} rows={3} />
      <Field {...of("join_url")} label={plan.online} hint={plan.onlineHint} input={{ type: "url", maxLength: 2000 }} />
      <p class="lead">{plan.people}</p>
      {trouble}
      <NetButton wide onPress={publish}>
        {plan.publish}
      </NetButton>
    </>
  );
}

function faultsOf(form: Form): { id: string; text: string }[] {
  const { faults } = says.value.plan;
  const found = [];
  if (form.title.trim() === "") found.push({ id: "title", text: faults.name });
  if (!(momentOf(form).getTime() > Date.now())) found.push({ id: "date", text: faults.date });
  if (form.join_url !== "" && !form.join_url.startsWith("https://"))
    found.push({ id: "join_url", text: faults.online });
  return found;
}

function bodyOf(form: Form, organisation_id: string, activity_id: string) {
  const starts = momentOf(form).getTime();
  const agenda = form.agenda.split("\n").map((line) => line.trim().slice(0, 200));
  return {
    activity_id,
    organisation_id,
    kind: form.kind,
    title: form.title.trim(),
    starts_at: new Date(starts).toISOString(),
    ends_at: new Date(starts + Number(form.minutes) * 60_000).toISOString(),
    place: form.place.trim() || null,
    join_url: form.join_url.trim() || null,
    agenda: agenda.filter((line) => line !== "").slice(0, 50),
  };
}
