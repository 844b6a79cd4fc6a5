/** What the figures are to each other, and how one is said; what is hidden stays hidden, and is never a nought. */

import type { components } from "#document";
import { spoken } from "../../shell/portal.ts";
import { areaWords } from "./words.ts";

export type Figure = components["schemas"]["FigureOut"];
export type Figures = ReadonlyMap<string, Figure>;
type Words = ReturnType<typeof areaWords>;

export interface Group {
  name: keyof Words["groups"];
  /** The figure that the parts are parts of. */
  total?: string;
  /** Together they are the total. */
  parts?: readonly string[];
  /** Each is some of the total. */
  some?: readonly string[];
  /** Each stands for itself. */
  alone?: readonly string[];
}

const GROUPS: readonly Group[] = [
  { name: "stages", total: "members.all", parts: of("members.stage", "applicant activist development_target probationary full") },
  { name: "ages", total: "members.all", parts: of("members.age", "under_35 35_to_59 60_and_over") },
  { name: "support", total: "members.all", some: ["members.away", "members.without_smartphone"] },
  { name: "activities", alone: ["activities.scheduled", "activities.closed"] },
  { name: "participation", total: "participation.attended", parts: of("participation.by", "in_person remote"), alone: ["participation.registered"] },
  { name: "learning", total: "learning.lessons_begun", parts: of("learning", "lessons_completed lessons_under_way") },
  { name: "said", total: "learning.lessons_begun", parts: of("learning", "understood need_help nothing_said") },
  { name: "cases", total: "cases.received", parts: of("cases.now", "open answered confirmed") },
]; // biome-ignore format: one group a line

function of(beginning: string, ends: string): string[] {
  return ends.split(" ").map((end) => `${beginning}.${end}`);
}

export const byMeasure = (figures: readonly Figure[]): Figures => new Map(figures.map((each) => [each.measure, each]));

/** Gives the groups of which there are figures; what no group knows of yet stands in one at the end. */
export function groupsOf(figures: Figures): Group[] {
  const known = new Set(GROUPS.flatMap(measuresOf));
  const others = [...figures.keys()].filter((measure) => !known.has(measure));
  const groups = GROUPS.filter((group) => measuresOf(group).some((measure) => figures.has(measure)));
  return others.length === 0 ? groups : [...groups, { name: "others", alone: others }];
}

export const measuresOf = ({ total, parts = [], some = [], alone = [] }: Group): string[] => [
  ...(total === undefined ? [] : [total]),
  ...parts,
  ...some,
  ...alone,
];

/** The figure that this one is a part of, if any. */
export const wholeOf = (measure: string): string | undefined =>
  GROUPS.find(({ parts = [], some = [] }) => parts.includes(measure) || some.includes(measure))?.total;

/** Its name; a figure for which there is no short one yet has the formula's. */
export function nameOf(measure: string, figure?: Figure): string {
  return areaWords().measures[measure] ?? (figure === undefined ? measure : formulaOf(figure));
}

export const formulaOf = (figure: Figure): string => spoken(figure.formula_zh, figure.formula_en);

export const written = (count: number): string => count.toLocaleString("en-US");

/** Gives 3,904 人, or that it is not shown. */
export function said(figure: Figure | undefined): string {
  const { figure: says, hidden, units } = areaWords();
  if (figure === undefined) return "–";
  if (figure.value === null) return hidden;
  const [subject] = figure.measure.split(".");
  const unit = { members: "people", activities: "things", cases: "cases" }[subject as string] ?? "visits";
  return says(written(figure.value), units[unit as keyof typeof units]);
}

/** Gives the share of a whole in percent; null where one of the two is hidden or there is no whole. */
export function shareOf(part: Figure | undefined, whole: Figure | undefined): number | null {
  if (part?.value == null || whole?.value == null || whole.value === 0) return null;
  return (100 * part.value) / whole.value;
}

/** Gives 12%; what is not none is never said to be 0%, nor what is not all to be 100%. */
export function percent(share: number): string {
  if (share > 0 && share < 1) return "<1%";
  if (share < 100 && share > 99) return ">99%";
  return `${Math.round(share)}%`;
}
