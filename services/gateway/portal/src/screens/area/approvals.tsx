/** What waits for a second person: what it is, who asked, until when; never one's own. */

import { signal } from "@preact/signals";
import { CheckCheck } from "lucide";
import { Refused } from "../../api/problems.ts";
import { ButtonLink } from "../../components/buttons.tsx";
import { Asked } from "../../components/dialog.tsx";
import { Page } from "../../components/page.tsx";
import { Card, Deadline, List, Notice, Tag } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { day, dayAndTime } from "../../shell/dates.ts";
import { online, portal, spoken, useReading, useUnstored } from "../../shell/portal.ts";
import { newId, shortOf } from "../../store/ids.ts";
import type { Reading } from "../../store/subjects.ts";
import { useOffices } from "./places.ts";
import { areaWords } from "./words.ts";

interface Waiting {
  id: string;
  kind: "role" | "list" | "recovery" | "phone";
  title: string;
  organisation_id: string;
  facts: readonly string[];
  until: string | null;
  /** Why the person who reads it does not decide it. */
  not: string | null;
}

/** Where each kind is decided; what cannot be refused lapses. */
const DOORS: Record<Waiting["kind"], { path: string; approve: string; refuse?: string }> = {
  role: { path: "/v1/role-assignments", approve: "approval", refuse: "refusal" },
  list: { path: "/v1/account-lists", approve: "approval", refuse: "refusal" },
  recovery: { path: "/v1/recoveries", approve: "approvals" },
  phone: { path: "/v1/phone-replacements", approve: "approvals" },
};

/** What was decided since these screens were opened: it stays in sight. */
const decided = signal<readonly { id: string; about: string }[]>([]);

/** Whether somebody has nothing to decide of a kind: no trouble then, only nothing to show. */
const isOthers = ({ trouble }: Reading<unknown>): boolean => trouble instanceof Refused && trouble.status === 403;

function useWaiting(): { all: Waiting[]; readings: Reading<unknown>[] } {
  const me = useOffices().me.data?.person_id;
  const titles = useReading("area", "/v1/roles");
  const turn = portal.subjects.rounds.value; // what is of others is asked for anew, and never kept
  const roles = useUnstored("/v1/role-assignments", { query: { status: "proposed", limit: 200 } }, turn);
  const lists = useUnstored("/v1/account-lists", { query: { status: "proposed", limit: 200 } }, turn);
  const recoveries = useUnstored("/v1/recoveries", { query: { status: "requested", limit: 200 } }, turn);
  const phones = useUnstored("/v1/phone-replacements", { query: { status: "confirmed", limit: 200 } }, turn);
  const says = areaWords();
  const asked = (by: string | null, at: string) => [
    by === me ? says.whoYou : by === null ? says.whoOwner : says.who(shortOf(by)),
    says.whenAsked(dayAndTime(at)),
  ];
  const not = (by: string | null, subject?: string) => (by === me ? says.yours : subject === me ? says.aboutYou : null);
  const titleOf = (role: string): string => {
    const found = titles.data?.items.find((each) => each.role === role);
    return spoken(found?.title_zh, found?.title_en) ?? role;
  };
  const all: Waiting[] = [
    ...(roles.data?.items ?? []).map((each) => ({
      id: each.assignment_id, kind: "role" as const, title: titleOf(each.role), organisation_id: each.organisation_id,
      facts: [
        says.whose(shortOf(each.person_id)),
        says.until(day(each.valid_from), each.valid_until && day(each.valid_until)),
        ...asked(each.granted_by, each.granted_at),
      ],
      until: each.proposed_until, not: not(each.granted_by, each.person_id),
    })),
    ...(lists.data?.items ?? []).map((each) => ({
      id: each.list_id, kind: "list" as const, title: says.accounts(each.size), organisation_id: each.organisation_id,
      facts: asked(each.given_by, each.given_at), until: each.expires_at, not: not(each.given_by),
    })),
    ...(recoveries.data?.items ?? []).map((each) => ({
      id: each.recovery_id, kind: "recovery" as const, title: each.lost_device ? says.lost : says.notLost,
      organisation_id: each.organisation_id,
      facts: [says.whose(shortOf(each.person_id)), ...asked(null, each.requested_at)], until: each.expires_at,
      not: me !== undefined && each.approved_by.includes(me) ? says.agreed : not(null, each.person_id),
    })),
    ...(phones.data?.items ?? []).map((each) => ({
      id: each.replacement_id, kind: "phone" as const, title: says.newPhone(each.ends_in ?? ""),
      organisation_id: each.organisation_id,
      facts: [says.whose(shortOf(each.person_id)), ...asked(each.proposed_by, each.proposed_at)], until: each.expires_at,
      not: not(each.proposed_by, each.person_id),
    })),
  ]; // biome-ignore format: each kind's facts together
  const readings = [roles, lists, recoveries, phones].filter((reading) => !isOthers(reading));
  return { all: all.sort((a, b) => ((a.until ?? "") < (b.until ?? "") ? -1 : 1)), readings };
}

/** Where one came from: the tab of one's office. */
function useHome(): string {
  const { me } = useOffices();
  const held = (role: RegExp) => me.data?.roles.some((each) => role.test(each.role));
  return held(/officer|administrator/) ? "/area" : held(/secretary/) ? "/branch" : "/";
}

export function Approvals() {
  const { all, readings } = useWaiting();
  const says = areaWords();
  const unclear =
    readings.find(({ trouble }) => trouble !== undefined) ?? readings.find(({ data }) => data === undefined);
  return (
    <Page title={says.approvals} lead={says.approvalsLead} back={useHome()}>
      {unclear !== undefined && <ReadingState of={unclear} />}
      <Decided />
      {unclear === undefined && all.length === 0 && decided.value.length === 0 && (
        <Notice icon={CheckCheck}>{says.noApprovals}</Notice>
      )}
      {all.map((each) => (
        <WaitingCard key={each.id} of={each} />
      ))}
    </Page>
  );
}

function Decided() {
  return (
    <>
      {decided.value.map(({ id, about }) => (
        <Notice key={id} icon={CheckCheck}>
          {about}
        </Notice>
      ))}
    </>
  );
}

function WaitingCard({ of, withRows }: { of: Waiting; withRows?: boolean }) {
  const says = areaWords();
  const where = { path: { organisation_id: of.organisation_id } };
  const place = useReading("area", "/v1/organisations/{organisation_id}", where).data?.name;
  return (
    <Card due={of.not === null}>
      <div class="row apart">
        <Tag>{says.kinds[of.kind]}</Tag>
        {of.until !== null && <Deadline at={of.until} />}
      </div>
      <h2>{of.title}</h2>
      <ul class="told">
        <li>{says.at(place ?? shortOf(of.organisation_id))}</li>
        {of.facts.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      {of.not === null ? <Decision of={of} linksToRows={of.kind === "list" && !withRows} /> : <p>{of.not}</p>}
    </Card>
  );
}

/** The two buttons, each asked for once more: what is decided cannot be taken back here. */
function Decision({ of, linksToRows }: { of: Waiting; linksToRows: boolean }) {
  const says = areaWords();
  const { attempt, trouble } = useAttempt();
  const { path, approve, refuse } = DOORS[of.kind];
  const decide = (how: string, about: string) => () =>
    attempt(async () => {
      await portal.api.send("POST", `${path}/${of.id}/${how}`, null, newId());
      decided.value = [...decided.value, { id: of.id, about: `${about} ${says.kinds[of.kind]} · ${of.title}` }];
      await portal.subjects.refresh();
    });
  return (
    <>
      {trouble}
      {!online.value && <p>{says.waits}</p>}
      <div class="row">
        {online.value && (
          <Asked
            title={says.sure[of.kind]}
            lead={says.sureLead[of.kind]}
            answer={says.approve}
            onAnswer={decide(approve, says.approved)}
          >
            {says.approve}
          </Asked>
        )}
        {online.value && refuse !== undefined && (
          <Asked
            second
            title={says.refuseTitle}
            lead={says.refuseLead}
            answer={says.refuse}
            onAnswer={decide(refuse, says.refused)}
          >
            {says.refuse}
          </Asked>
        )}
        {linksToRows && (
          <ButtonLink second to={`/account-lists/${of.id}`}>
            {says.rows}
          </ButtonLink>
        )}
      </div>
      {refuse === undefined && <p class="small">{says.noRefusal}</p>}
    </>
  );
}

/** One list of accounts with its rows, as home leads to it. */
export function AccountList({ params }: { params: Record<string, string> }) {
  const list_id = params.list_id as string;
  const says = areaWords();
  const turn = portal.subjects.rounds.value;
  const rows = useUnstored("/v1/account-lists/{list_id}/rows", { path: { list_id }, query: { limit: 200 } }, turn);
  const { all, readings } = useWaiting();
  const found = all.find(({ id }) => id === list_id);
  const isOver = found === undefined && readings.every(({ data }) => data !== undefined);
  return (
    <Page title={says.kinds.list} back="/area/approvals">
      <Decided />
      <ReadingState of={rows} />
      {isOver && decided.value.every(({ id }) => id !== list_id) && <Notice icon={CheckCheck}>{says.over}</Notice>}
      {found !== undefined && <WaitingCard of={found} withRows />}
      {rows.data !== undefined && (
        <List>
          {rows.data.items.map(({ number, username }) => (
            <li key={number} class="list-row">
              {says.row(number, username)}
            </li>
          ))}
        </List>
      )}
    </Page>
  );
}
