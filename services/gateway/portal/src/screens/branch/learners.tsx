/** Who asked for help with a lesson: masked, those who wait longest first; their files say how to reach them. */

import { Page } from "../../components/page.tsx";
import { List, ListRow } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { day } from "../../shell/dates.ts";
import { useReading, useUnstored } from "../../shell/portal.ts";
import type { Params } from "../../shell/router.ts";
import { useBranch } from "./office.tsx";
import { says } from "./words.ts";

export function Learners({ params }: { params: Params }) {
  const { learners } = says.value;
  const lesson_id = params.lesson_id as string;
  const { id } = useBranch();
  const query = { organisation_id: id ?? "" };
  const lesson = useReading("courses", "/v1/lessons/{lesson_id}", { path: { lesson_id } });
  const path = "/v1/lessons/{lesson_id}/help-requests";
  const asked = useUnstored(path, id === undefined ? null : { path: { lesson_id }, query });
  const members = useUnstored("/v1/members", id === undefined ? null : { query: { ...query, limit: 200 } });
  const names = new Map(members.data?.items.map(({ person_id, name }) => [person_id, name]));
  return (
    <Page title={learners.title} back="/branch" lead={lesson.data?.title}>
      <ReadingState of={asked} />
      {asked.data?.items.length === 0 && <p>{learners.empty}</p>}
      {asked.data !== undefined && asked.data.items.length > 0 && (
        <>
          <p>{learners.lead}</p>
          <List>
            {asked.data.items.map(({ person_id, asked_at }) => (
              <ListRow
                key={person_id}
                title={names.get(person_id) ?? learners.somebody}
                lead={learners.asked(day(asked_at))}
                to={`/branch/members/${person_id}`}
              />
            ))}
          </List>
          <p class="small">{learners.back}</p>
        </>
      )}
    </Page>
  );
}
