/** Where somebody can report something from, and who answers it there by when, as far as the system tells it. */

import type { components } from "#document";
import { workingDay } from "../../shell/dates.ts";
import { useReading, words } from "../../shell/portal.ts";
import type { Reading } from "../../store/subjects.ts";
import { says as mine } from "./words.ts";

type Responsibility = components["schemas"]["ResponsibilityOut"];

export interface Place {
  id: string;
  name: string;
}

/** Gives the places somebody has to do with, their own branch first, and what organisations are called. */
export function usePlaces(): {
  places: Place[];
  nameOf: (id: string) => string | undefined;
  reading: Reading<unknown>;
  isKnown: boolean;
} {
  const home = useReading("home", "/v1/home", { query: { order: "due", include: "subject", limit: 30 } });
  const file = useReading("profile", "/v1/members/me");
  const names = new Map<string, string>();
  const own = file.data?.organisation_id;
  const ids = new Set(own === undefined ? [] : [own]);
  for (const { organisation_id: id, organisation_name: name, facts } of home.data?.items ?? []) {
    if (name != null) names.set(id, name);
    if ("category" in facts || "starts_at" in facts) ids.add(id);
  }
  const nameOf = (id: string): string | undefined =>
    names.get(id) ?? (id === own ? mine.value.report.ownBranch : undefined);
  const places = [...ids].flatMap((id) => {
    const name = nameOf(id);
    return name === undefined ? [] : [{ id, name }];
  });
  return { places, nameOf, reading: home, isKnown: home.data !== undefined && !file.asking };
}

/** Who answers, and by which day: `atMost` where it is somebody above the place, and the longest of them is told. */
export interface Answering {
  by?: string;
  days: number;
  until: number;
  atMost: boolean;
}

/** Gives what can be reported, and of each who answers it from a place. */
export function useAnswering(place: string | undefined) {
  const all = useReading("cases", "/v1/responsibilities", { query: { limit: 200 } });
  const here = useReading("cases", "/v1/responsibilities", {
    query: { ...(place && { organisation_id: place }), limit: 200 },
  });
  const rows = [...(all.data?.items ?? []), ...(here.data?.items ?? [])];
  const known = Object.keys(words.value.categories);
  const categories = [...new Set(rows.map(({ category }) => category))];
  categories.sort((a, b) => (known.indexOf(a) + 1 || 99) - (known.indexOf(b) + 1 || 99));
  return { reading: all, categories, answering: (category: string) => place && answeringOf(rows, category, place) };
}

/** The row of the place itself decides; without one it is one of those above it, and which is not told here. */
function answeringOf(rows: readonly Responsibility[], category: string, place: string): Answering | undefined {
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const valid = rows.filter((row) => row.category === category && row.valid_from <= today);
  const [own] = valid
    .filter((row) => row.organisation_id === place)
    .sort((a, b) => b.valid_from.localeCompare(a.valid_from));
  if (own !== undefined) return answer(own.working_days, own.responsible_id);
  return valid.length === 0 ? undefined : answer(Math.max(...valid.map((row) => row.working_days)));
}

function answer(days: number, by?: string): Answering {
  return { days, until: workingDay(days), atMost: by === undefined, ...(by !== undefined && { by }) };
}
