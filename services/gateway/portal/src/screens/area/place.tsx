/** 辖区: the figures of a place, each with how it is counted, and the ways to what lies below it. */

import { CheckCheck, Clock, HeartHandshake, LayoutGrid } from "lucide";
import { Page } from "../../components/page.tsx";
import { Card, List, ListRow, Notice } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { useLater, useReading } from "../../shell/portal.ts";
import {
  byMeasure,
  type Figure,
  type Figures,
  type Group,
  groupsOf,
  measuresOf,
  nameOf,
  percent,
  said,
  shareOf,
} from "./figures.ts";
import { Crumbs, How, TableBehind, Value, Why } from "./parts.tsx";
import { useAbove, useOffices } from "./places.ts";
import { areaWords } from "./words.ts"; // biome-ignore format: one list of names

/** The first screen of the tab: the place of one's office, or a choice where there are several or none. */
export function Area() {
  const { ids, me } = useOffices();
  const says = areaWords();
  if (ids.length === 1) return <PlaceOf id={ids[0] as string} tops={ids} />;
  return (
    <Page title={says.several} lead={me.data !== undefined && ids.length === 0 ? says.none : undefined}>
      {me.data === undefined && <ReadingState of={me} />}
      {ids.length > 0 && (
        <List>
          {ids.map((id) => (
            <OfficeRow key={id} id={id} />
          ))}
        </List>
      )}
      <List>
        <ApprovalsRow />
      </List>
    </Page>
  );
}

function OfficeRow({ id }: { id: string }) {
  const { data } = useReading("area", "/v1/organisations/{organisation_id}", { path: { organisation_id: id } });
  return <ListRow title={data?.name ?? "…"} to={`/area/${id}`} />;
}

function ApprovalsRow() {
  const says = areaWords();
  return <ListRow icon={CheckCheck} title={says.approvals} lead={says.approvalsShort} to="/area/approvals" />;
}

export function Place({ params }: { params: Record<string, string> }) {
  return <PlaceOf id={params.organisation_id as string} tops={useOffices().ids} />;
}

function PlaceOf({ id, tops }: { id: string; tops: readonly string[] }) {
  const overview = useReading("area", "/v1/overview/{organisation_id}", { path: { organisation_id: id } });
  const says = areaWords();
  const { data, seenAt } = overview;
  const isTop = tops.includes(id);
  const back = useAbove(id, tops);
  return (
    <Page
      wide
      title={data?.organisation_name ?? says.howMany}
      lead={seenAt === undefined ? undefined : says.asOf(dayAndTime(seenAt))}
      {...((!isTop || tops.length > 1) && { back })}
    >
      <Crumbs to={id} tops={tops} base="/area" />
      <ReadingState of={overview} />
      {data?.stale.map(({ service, since }) => (
        <Notice key={service} wait icon={Clock}>
          {says.stale(says.services[service] ?? service, dayAndTime(since))}
        </Notice>
      ))}
      <List>
        <ListRow icon={HeartHandshake} title={says.helpTitle} lead={says.helpLink} to={`/area/help/${id}`} />
        {data?.level !== "branch" && (
          <ListRow icon={LayoutGrid} title={says.below} lead={says.belowLead} to={`/area/places/${id}`} />
        )}
        {isTop && <ApprovalsRow />}
      </List>
      {data !== undefined && <Groups figures={data.figures} />}
    </Page>
  );
}

function Groups({ figures }: { figures: readonly Figure[] }) {
  const all = byMeasure(figures);
  return (
    <div class="groups">
      {groupsOf(all).map((group) => (
        <GroupCard key={group.name} group={group} all={all} />
      ))}
    </div>
  );
}

function GroupCard({ group, all }: { group: Group; all: Figures }) {
  const says = areaWords();
  const found = (measures: readonly string[] = []) => measures.flatMap((measure) => all.get(measure) ?? []);
  const [whole] = found(group.total === undefined ? [] : [group.total]);
  const parts = found([...(group.parts ?? []), ...(group.some ?? [])]);
  const figures = found(measuresOf(group));
  const title = says.groups[group.name];
  return (
    <Card>
      <h2>{title}</h2>
      {figures
        .filter((each) => !parts.includes(each))
        .map((each) => (
          <p key={each.measure} class="figure">
            {nameOf(each.measure, each)} <Value of={each} />
          </p>
        ))}
      {whole !== undefined && whole.value !== 0 && (
        <>
          <Shares group={group} whole={whole} parts={parts} title={title} />
          <TableBehind
            caption={title}
            head={[says.what, says.howMany]}
            rows={parts.map((each) => ({
              key: each.measure,
              name: nameOf(each.measure),
              cells: <PartOf of={each} whole={whole} />,
            }))}
          />
        </>
      )}
      <Why some={figures.some(({ suppressed }) => suppressed)} />
      <How figures={figures} />
    </Card>
  );
}

function PartOf({ of, whole }: { of: Figure; whole: Figure }) {
  const share = shareOf(of, whole);
  return (
    <>
      <Value of={of} /> {share !== null && areaWords().ofWhole(percent(share), nameOf(whole.measure))}
    </>
  );
}

interface SharesProps {
  group: Group;
  whole: Figure;
  parts: readonly Figure[];
  title: string;
}

/** The chart of a group with its sentence; nothing where the whole is hidden. */
function Shares({ group, whole, parts, title }: SharesProps) {
  const charts = useLater(() => import("./charts.tsx"));
  if (whole.value === null) return null;
  const says = areaWords();
  const drawn = parts.map((each) => ({ name: nameOf(each.measure), share: shareOf(each, whole) }));
  const sentence = sentenceOf(group, whole, drawn);
  const Chart = group.parts === undefined ? charts?.Bands : charts?.ShareBar;
  return (
    <>
      <p>{sentence}</p>
      {Chart !== undefined && <Chart title={title} sentence={sentence} parts={drawn} hidden={says.hidden} />}
    </>
  );
}

/** Says the shares that stand for themselves, or which part is the largest: only where none that may be larger is hidden. */
function sentenceOf(group: Group, whole: Figure, parts: readonly { name: string; share: number | null }[]): string {
  const says = areaWords();
  const seen = parts.flatMap(({ name, share }) => (share === null ? [] : [{ name, share }]));
  const all = seen.map(({ name, share }) => says.ofWholeSaid(name, percent(share))).join(says.joint);
  if (seen.length < parts.length) return `${all}${says.stop}${says.someHidden}`;
  const [most] = [...seen].sort((a, b) => b.share - a.share);
  if (group.parts === undefined || most === undefined) return `${all}${says.stop}`;
  return says.most(`${nameOf(whole.measure)} ${said(whole)}`, most.name, percent(most.share));
}
