/** 反映: what somebody reported and what became of it, and the way to report something. */

import { ButtonLink } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { List, ListRow } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { day, distance } from "../../shell/dates.ts";
import { portal, useReading, words } from "../../shell/portal.ts";
import { useAnswering, usePlaces } from "./answering.ts";
import { says as mine } from "./words.ts";

/** Cases of theirs that wait on this phone, and have no answer of the system yet. */
export const unsentCases = () =>
  portal.outbox.ops.value.filter(({ kind, state }) => kind === "case.open" && state !== "sent");

export function Cases() {
  const cases = useReading("cases", "/v1/cases", { query: { mine: true, limit: 200 } });
  const { places } = usePlaces();
  useAnswering(places[0]?.id); // so that it is on the phone when somebody reports without a network
  const { cases: says } = mine.value;
  const { categories, outbox } = words.value;
  const own = cases.data?.items ?? [];
  const unsent = unsentCases().filter(({ subject_id }) => !own.some(({ case_id }) => case_id === subject_id));
  const isEmpty = cases.data !== undefined && own.length + unsent.length === 0;
  return (
    <Page title={says.title} lead={isEmpty ? says.none : undefined}>
      <ButtonLink to="/cases/new">{says.report}</ButtonLink>
      <ReadingState of={cases} />
      {own.length + unsent.length > 0 && (
        <List>
          {unsent.map(({ subject_id, about, state }) => (
            <ListRow key={subject_id} title={about} lead={outbox[state]} to={`/cases/${subject_id}`} />
          ))}
          {own.map(({ case_id, category, status, opened_at, due_at }) => (
            <ListRow
              key={case_id}
              title={categories[category] ?? category}
              lead={`${says.status[status] ?? status} · ${
                status === "open" ? `${distance(due_at)} · ${day(due_at)}` : says.since(day(opened_at))
              }`}
              to={`/cases/${case_id}`}
            />
          ))}
        </List>
      )}
    </Page>
  );
}
