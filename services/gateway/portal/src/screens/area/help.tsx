/** Who needs help: with which lessons, and in which places, those below in official order. */

import { HeartHandshake } from "lucide";
import { Link } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { Card, List, ListRow, Notice } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { useReading } from "../../shell/portal.ts";
import { isBuilt } from "../../shell/router.ts";
import { said, written } from "./figures.ts";
import { Crumbs, Why } from "./parts.tsx";
import { useChildren, useOffices } from "./places.ts";
import { areaWords } from "./words.ts";

const NEED = "learning.need_help";

export function Help({ params }: { params: Record<string, string> }) {
  const organisation_id = params.organisation_id as string;
  const needs = useReading("area", "/v1/help-requests", { query: { organisation_id, limit: 200 } });
  const place = useReading("area", "/v1/organisations/{organisation_id}", { path: { organisation_id } });
  const { ids } = useOffices();
  const says = areaWords();
  const items = needs.data?.items ?? [];
  const isClear = needs.data !== undefined && items.length === 0;
  const back = ids.includes(organisation_id) ? `/area/${organisation_id}` : `/area/help/${place.data?.parent_id}`;
  return (
    <Page title={says.helpTitle} back={back} where={place.data?.name} lead={says.helpLead}>
      <Crumbs to={organisation_id} tops={ids} base="/area/help" />
      <ReadingState of={needs} />
      {isClear && <Notice icon={HeartHandshake}>{says.noHelp}</Notice>}
      {items.length > 0 && <h2>{says.lessons}</h2>}
      {items.map(({ lesson_id, title, people, people_here }) => (
        <Card key={lesson_id}>
          <h3>{title}</h3>
          {people === null ? (
            <p>
              <span class="hatched">{says.hidden}</span>
            </p>
          ) : (
            <p>{says.lessonNeeds(written(people))}</p>
          )}
          {people_here != null && people_here > 0 && <p>{says.here(people_here)}</p>}
          {isBuilt(`/lessons/${lesson_id}`) && <Link to={`/lessons/${lesson_id}`}>{title}</Link>}
        </Card>
      ))}
      <Why some={items.some(({ people }) => people === null)} />
      {needs.seenAt !== undefined && <p class="small">{says.asOf(dayAndTime(needs.seenAt))}</p>}
      {place.data !== undefined && place.data.level !== "branch" && <Places organisation_id={organisation_id} />}
    </Page>
  );
}

function Places({ organisation_id }: { organisation_id: string }) {
  const children = useChildren(organisation_id);
  const says = areaWords();
  if (children.data?.length === 0) return null;
  return (
    <>
      <h2>{says.byPlace}</h2>
      <ReadingState of={children} />
      <List>
        {children.data?.map(({ id, name, figures }) => {
          const figure = figures.get(NEED);
          return (
            <ListRow
              key={id}
              title={name}
              lead={figure?.value === 0 ? says.nobody : said(figure)}
              to={`/area/help/${id}`}
            />
          );
        })}
      </List>
      <Why some={children.data?.some(({ figures }) => figures.get(NEED)?.suppressed) ?? false} />
    </>
  );
}
