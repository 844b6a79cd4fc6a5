/** 党员名册: the members of a branch, masked; and a file, opened once it is said what for. */

import { useState } from "preact/hooks";
import type { components } from "#document";
import { ButtonLink } from "../../components/buttons.tsx";
import { Choices } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Card, Facts, List, ListRow, Notice } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { day } from "../../shell/dates.ts";
import { portal, useUnstored, words } from "../../shell/portal.ts";
import type { Params } from "../../shell/router.ts";
import { helped } from "./assist.tsx";
import { NetButton, useBranch, useNameOf } from "./office.tsx";
import { says } from "./words.ts";

type Member = components["schemas"]["MemberOut"];
type Purpose = "contact" | "verification" | "attendance";
const PAGE = 50;

export function Members() {
  const { members } = says.value;
  const { id } = useBranch();
  const [pages, setPages] = useState<{ items: Member[]; next?: string | null }>({ items: [] });
  const { attempt, trouble } = useAttempt();
  const first = useUnstored("/v1/members", id === undefined ? null : { query: { organisation_id: id, limit: PAGE } });
  const items = [...(first.data?.items ?? []), ...pages.items];
  const cursor = pages.next === undefined ? first.data?.next_cursor : pages.next;
  const more = () =>
    attempt(async () => {
      const query = { organisation_id: id as string, limit: PAGE, cursor: cursor as string };
      const page = await portal.api.read("/v1/members", { query });
      setPages({ items: [...pages.items, ...page.items], next: page.next_cursor ?? null });
    });
  return (
    <Page title={members.title} back="/branch" where={useNameOf(id)} lead={members.lead}>
      <ReadingState of={first} />
      {first.data !== undefined && items.length === 0 && <p>{members.empty}</p>}
      {items.length > 0 && (
        <List>
          {items.map((member) => (
            <ListRow
              key={member.person_id}
              title={member.name}
              lead={aboutMember(member)}
              to={`/branch/members/${member.person_id}`}
            />
          ))}
        </List>
      )}
      {trouble}
      {cursor != null && (
        <NetButton second wide onPress={more}>
          {words.value.more}
        </NetButton>
      )}
    </Page>
  );
}

function aboutMember({ stage, away, smartphone }: Member): string {
  const { members } = says.value;
  return [words.value.stages[stage] ?? stage, away && members.away, !smartphone && members.noPhone]
    .filter(Boolean)
    .join(" · ");
}

export function MemberFile({ params }: { params: Params }) {
  const { file } = says.value;
  const [purpose, setPurpose] = useState<Purpose>("contact");
  const [member, setMember] = useState<Member | null>(null);
  const { attempt, trouble } = useAttempt();
  const open = () =>
    attempt(async () => {
      const where = { path: { person_id: params.person_id as string }, query: { purpose } };
      const opened = await portal.api.read("/v1/members/{person_id}", where);
      helped.value = { person_id: opened.person_id, name: opened.name };
      setMember(opened);
    });
  if (member !== null) return <OpenFile member={member} />;
  return (
    <Page title={file.title} back="/branch/members">
      <Choices
        legend={file.why}
        value={purpose}
        options={(["contact", "verification", "attendance"] as const).map((value) => ({
          value,
          label: file.purposes[value],
        }))}
        onValue={setPurpose}
      />
      <Notice>
        <p>
          <b>{file.opens[purpose]}</b> {file.whyLead}
        </p>
      </Notice>
      {trouble}
      <NetButton wide onPress={open}>
        {file.open}
      </NetButton>
    </Page>
  );
}

function OpenFile({ member }: { member: Member }) {
  const { file, members } = says.value;
  const facts: [string, string][] = [
    [file.name, member.name],
    [file.phone, member.phone ?? file.noPhone],
    [file.id, member.id_number],
    [file.stage, words.value.stages[member.stage] ?? member.stage],
    [file.where, member.away ? members.away : file.home],
    [file.recorded, day(member.recorded_at)],
  ];
  return (
    <Page title={member.name} back="/branch/members" where={useNameOf(member.organisation_id)}>
      <Card>
        <Facts of={facts} />
        {member.opened.includes("phone") && member.phone !== null && (
          <div class="row">
            <a class="button" href={`tel:${member.phone}`}>
              {file.call}
            </a>
          </div>
        )}
      </Card>
      <ButtonLink second to="/branch/assist">
        {file.assist}
      </ButtonLink>
      <p class="small">
        {file.masked} {file.closed}
      </p>
    </Page>
  );
}
