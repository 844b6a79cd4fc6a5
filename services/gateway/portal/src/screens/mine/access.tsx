/** 谁看过我的档案: everything that concerns oneself and was done in any service; who, why, when. */

import type { components } from "#document";
import { Page } from "../../components/page.tsx";
import { Card, List, ListRow, Notice, Tag } from "../../components/surfaces.tsx";
import { ReadingState, useMore } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { spoken, useReading, words } from "../../shell/portal.ts";
import { says as mine } from "./words.ts";

type Entry = components["schemas"]["AccessOut"];
const FIRST = 50;

export function Access() {
  const [limit, more] = useMore(FIRST);
  const log = useReading("profile", "/v1/me/access-log", { query: { limit } });
  const { access: says } = mine.value;
  const me = useReading("profile", "/v1/me").data?.person_id;
  const all = log.data?.items ?? [];
  const [others, own] = [all.filter(({ actor }) => actor !== me), all.filter(({ actor }) => actor === me)];
  const isEmpty = log.data !== undefined && others.length === 0 && log.data.next_cursor == null;
  return (
    <Page title={says.title} lead={isEmpty ? says.nobody : says.lead} back="/me">
      <ReadingState of={log} />
      {log.data !== undefined && log.data.incomplete.length > 0 && (
        <Notice wait>{says.incomplete(log.data.incomplete.map((each) => says.services[each] ?? each))}</Notice>
      )}
      <Entries of={others} />
      {more(log)}
      {!isEmpty && (
        <List>
          <ListRow title={says.stranger} lead={words.value.me.accountLead} address="/sign-in" />
        </List>
      )}
      {own.length > 0 && (
        <details>
          <summary>{says.own}</summary>
          <div class="stack">
            <Entries of={own} />
          </div>
        </details>
      )}
    </Page>
  );
}

function Entries({ of }: { of: readonly Entry[] }) {
  return (
    <>
      {of.map((entry) => (
        <EntryCard key={`${entry.service} ${entry.id}`} entry={entry} />
      ))}
    </>
  );
}

function EntryCard({ entry }: { entry: Entry }) {
  const { access: says } = mine.value;
  const did = says.actions[entry.action] ?? says.did(says.services[entry.service] ?? entry.service);
  const purpose = says.purposes[entry.purpose ?? ""]; // others are words of the system's own
  return (
    <Card>
      <div class="row apart">
        <Who of={entry} />
        <span class="small">{dayAndTime(entry.happened_at)}</span>
      </div>
      <p>{purpose ? says.because(purpose, did) : did}</p>
      {entry.decision === "refused" && (
        <div class="row">
          <Tag tone="warn">{says.refused}</Tag>
        </div>
      )}
    </Card>
  );
}

/** Of who did it the log tells the office and where it is held; names it keeps to itself. */
function Who({ of }: { of: Entry }) {
  const roles = useReading("profile", "/v1/roles");
  const me = useReading("profile", "/v1/me");
  const { access: says } = mine.value;
  const role = roles.data?.items.find((each) => each.role === of.actor_role);
  const office = role && spoken(role.title_zh, role.title_en);
  const named = [of.actor_organisation, office ?? (roles.data && of.actor_role)].filter(Boolean).join(" · ");
  const other = of.assist_id != null ? says.helper : named || says.somebody;
  return <h2>{of.actor === me.data?.person_id ? says.yourself : of.actor === null ? says.system : other}</h2>;
}
