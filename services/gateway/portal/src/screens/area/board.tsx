/** A board of equal tiles, one for each place directly below, in official order whatever the figures are. */

import { signal } from "@preact/signals";
import { ChartNoAxesColumn } from "lucide";
import { Select } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { List, ListRow, Notice } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { useReading } from "../../shell/portal.ts";
import { href } from "../../shell/router.ts";
import { classWidth } from "./classes.ts";
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
  wholeOf,
  written,
} from "./figures.ts";
import { Crumbs, TableBehind, Value, Why } from "./parts.tsx";
import { type Child, useAbove, useChildren, useOffices } from "./places.ts";
import { areaWords } from "./words.ts"; // biome-ignore format: one list of names

/** What a tile shows: the figure; of a part its share, for places differ in size. */
function shownOf(
  measure: string,
  figures: Figures,
): { number: number | null; figure: Figure | undefined; words: string } {
  const figure = figures.get(measure);
  const whole = figures.get(wholeOf(measure) ?? "");
  const share = shareOf(figure, whole);
  if (share === null) return { number: figure?.value ?? null, figure, words: "" };
  return {
    number: Math.round(share),
    figure,
    words: areaWords().ofWhole(percent(share), nameOf(wholeOf(measure) ?? "")),
  };
}

/** The figure that is looked at; it stays the same on the way down. */
const chosen = signal("");

export function Places({ params }: { params: Record<string, string> }) {
  const organisation_id = params.organisation_id as string;
  const overview = useReading("area", "/v1/overview/{organisation_id}", { path: { organisation_id } });
  const children = useChildren(organisation_id);
  const { ids } = useOffices();
  const back = useAbove(organisation_id, ids);
  const says = areaWords();
  const known = byMeasure(overview.data?.figures ?? []);
  const groups = groupsOf(known);
  const measure = known.has(chosen.value) ? chosen.value : (groups.flatMap(measuresOf)[0] ?? "");
  const all = children.data ?? [];
  const state = overview.data === undefined ? overview : children;
  return (
    <Page
      wide
      title={says.below}
      back={back}
      where={overview.data?.organisation_name}
      lead={children.seenAt === undefined ? undefined : says.asOf(dayAndTime(children.seenAt))}
    >
      <Crumbs to={organisation_id} tops={ids} base="/area/places" />
      <ReadingState of={state} />
      {children.data?.length === 0 && <Notice>{says.noneBelow}</Notice>}
      {all.length > 0 && known.size > 0 && (
        <>
          <Choice groups={groups} known={known} measure={measure} />
          <Tiles all={all} measure={measure} />
          <Why some={all.some((child) => child.figures.get(measure)?.suppressed)} />
          <TableBehind
            caption={nameOf(measure, known.get(measure))}
            head={[says.place, says.howMany]}
            rows={all.map(({ id, name, figures }) => ({
              key: id,
              name,
              cells: (
                <>
                  <Value of={figures.get(measure)} /> {shownOf(measure, figures).words}
                </>
              ),
            }))}
          />
        </>
      )}
      <List>
        <ListRow icon={ChartNoAxesColumn} title={says.allFigures} to={`/area/${organisation_id}`} />
      </List>
    </Page>
  );
}

function Choice({ groups, known, measure }: { groups: readonly Group[]; known: Figures; measure: string }) {
  const says = areaWords();
  const isFirst = (each: string, group: Group) => groups.find((other) => measuresOf(other).includes(each)) === group;
  return (
    <Select id="measure" label={says.choose} value={measure} onValue={(each) => (chosen.value = each)}>
      {groups.map((group) => (
        <optgroup key={group.name} label={says.groups[group.name]}>
          {measuresOf(group)
            .filter((each) => known.has(each) && isFirst(each, group))
            .map((each) => (
              <option key={each} value={each}>
                {nameOf(each, known.get(each))}
              </option>
            ))}
        </optgroup>
      ))}
    </Select>
  );
}

function Tiles({ all, measure }: { all: readonly Child[]; measure: string }) {
  const says = areaWords();
  const shown = all.map((child) => ({ ...child, ...shownOf(measure, child.figures) }));
  const numbers = shown.flatMap(({ number }) => (number === null ? [] : [number]));
  const width = classWidth(numbers);
  const unit = shown.some(({ words }) => words !== "") ? "%" : "";
  const ranges = [...new Set(numbers.map((number) => Math.floor(number / width)))].sort().map((at) => {
    const [low, high] = [at * width, (at + 1) * width - 1].map((each) => `${written(each)}${unit}`) as [string, string];
    return { at, said: low === high ? low : says.from(low, high) };
  });
  return (
    <>
      <p class="small">{says.order}</p>
      <ul class="classes">
        {ranges.map((range) => (
          <li key={range.at} class={`class-${range.at + 1}`}>
            {range.said}
          </li>
        ))}
      </ul>
      <ul class="tiles" onKeyDown={move}>
        {shown.map(({ id, name, level, number, figure, words }) => (
          <li key={id}>
            <a
              class={number === null ? "tile hatched" : `tile class-${Math.floor(number / width) + 1}`}
              href={href(level === "branch" ? `/area/${id}` : `/area/places/${id}`)}
            >
              <b>{name}</b>
              <span class="value">{said(figure)}</span>
              {words !== "" && <span>{words}</span>}
            </a>
          </li>
        ))}
      </ul>
      <p class="small keys">{says.keys}</p>
    </>
  );
}

/** Moves between tiles as they lie on the screen. */
function move(event: KeyboardEvent): void {
  const tiles = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>("a")];
  const at = tiles.indexOf(event.target as HTMLElement);
  const top = tiles[0]?.offsetTop;
  const columns = tiles.filter((tile) => tile.offsetTop === top).length;
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  const to = by === undefined ? undefined : tiles[at + by];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  to.focus();
}
