/** 支部: what the branch has to answer, whom to help, and its meetings, with the one next step of each. */

import { BookOpen, CalendarPlus, CheckCheck, HandHelping, Users } from "lucide";
import type { components } from "#document";
import { ButtonLink } from "../../components/buttons.tsx";
import { Choices } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Card, List, ListRow, Tag } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { dayAndTime, distance } from "../../shell/dates.ts";
import { useReading, words } from "../../shell/portal.ts";
import { ItemCard } from "../home.tsx";
import { chosen, useBranch, useNameOf } from "./office.tsx";
import { says } from "./words.ts";

type Meeting = components["schemas"]["ActivityOut"];
const MEETINGS = 6;
const HOUR = 3_600_000;

export function Branch() {
  const { id, all } = useBranch();
  return id === undefined ? <Page title={says.value.today.title} /> : <Today key={id} branch={id} all={all} />;
}

function Today({ branch, all }: { branch: string; all: readonly string[] }) {
  const { today } = says.value;
  const { me } = words.value;
  const name = useNameOf(branch);
  const home = useReading("home", "/v1/home", { query: { section: "todo", order: "due", limit: 200 } });
  const meetings = useReading("activities", "/v1/activities", {
    query: { organisation_id: branch, status: "scheduled", limit: 50 },
  });
  const needs = useReading("home", "/v1/help-requests", { query: { organisation_id: branch, limit: 200 } });
  const cases = home.data?.items.filter(
    ({ kind, organisation_id }) => kind === "case.answer" && organisation_id === branch,
  );
  const lessons = needs.data?.items.filter(({ people_here }) => (people_here ?? 0) > 0);
  // Those that are soonest: the list gives the latest first.
  const due = [...(meetings.data?.items ?? [])].reverse().slice(0, MEETINGS);
  const count = (cases?.length ?? 0) + (lessons?.length ?? 0);
  const known = cases !== undefined && lessons !== undefined;
  const title = !known ? today.title : count === 0 ? today.clear : today.todo(count);
  return (
    <Page title={title} where={name} lead={known && count === 0 ? today.clearLead : undefined}>
      {all.length > 1 && <WhichBranch all={all} branch={branch} />}
      <ReadingState of={home} />
      {cases !== undefined && cases.length > 0 && <h2>{today.cases}</h2>}
      {cases?.map((item) => (
        <ItemCard key={item.key} item={item} heading="h3" />
      ))}
      {lessons !== undefined && lessons.length > 0 && (
        <>
          <h2>{today.help}</h2>
          <List>
            {lessons.map(({ lesson_id, title, people_here }) => (
              <ListRow
                key={lesson_id}
                icon={BookOpen}
                title={title}
                lead={today.helpCount(people_here ?? 0)}
                to={`/branch/lessons/${lesson_id}`}
              />
            ))}
          </List>
        </>
      )}
      <h2>{today.meetings}</h2>
      {meetings.data?.items.length === 0 && <p>{today.noMeetings}</p>}
      {due.map((meeting) => (
        <MeetingCard key={meeting.activity_id} meeting={meeting} />
      ))}
      <List>
        <ListRow icon={CalendarPlus} title={today.plan} lead={today.planLead} to="/branch/plan" />
        <ListRow icon={Users} title={today.members} lead={today.membersLead} to="/branch/members" />
        <ListRow icon={HandHelping} title={me.assist} lead={me.assistLead} to="/branch/assist" />
        <ListRow icon={CheckCheck} title={today.approvals} lead={today.approvalsLead} to="/area/approvals" />
      </List>
    </Page>
  );
}

export function categoryOf(category: string | undefined): string {
  return words.value.categories[category ?? ""] ?? category ?? "";
}

/** From an hour before it begins the sheet is filled in, before it is printed. */
export function isOpen({ starts_at }: { starts_at: string }): boolean {
  return Date.now() > Date.parse(starts_at) - HOUR;
}

function MeetingCard({ meeting }: { meeting: Meeting }) {
  const { today } = says.value;
  const open = isOpen(meeting);
  return (
    <Card due={open}>
      <div class="row apart">
        <Tag tone={open ? "warn" : "plain-tag"}>{distance(meeting.starts_at)}</Tag>
        <span class="small">{words.value.activities.kinds[meeting.kind] ?? meeting.kind}</span>
      </div>
      <h3>{meeting.title}</h3>
      <p>{[dayAndTime(meeting.starts_at), meeting.place].filter(Boolean).join(" · ")}</p>
      <div class="row">
        <ButtonLink to={`/branch/activities/${meeting.activity_id}/sheet`} second={!open}>
          {open ? today.sheet : today.printSheet}
        </ButtonLink>
      </div>
    </Card>
  );
}

function WhichBranch({ all, branch }: { all: readonly string[]; branch: string }) {
  const names = useReading("profile", "/v1/organisations", { query: { limit: 200 } });
  const named = (id: string) => names.data?.items.find(({ organisation_id }) => organisation_id === id)?.name ?? id;
  return (
    <Choices
      legend={says.value.today.which}
      value={branch}
      options={all.map((value) => ({ value, label: named(value) }))}
      onValue={(id) => {
        chosen.value = id;
      }}
    />
  );
}
