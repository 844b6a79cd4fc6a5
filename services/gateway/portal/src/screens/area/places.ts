/** The places of an officer: those they hold an office for, and what stands below one, in official order. */

import { useEffect, useState } from "preact/hooks";
import { type AnswerOf, addressOf, type ReadPath, type Where } from "../../api/client.ts";
import { portal, useReading } from "../../shell/portal.ts";
import type { Reading } from "../../store/subjects.ts";
import { byMeasure, type Figures } from "./figures.ts";

const MOST = 200;

export interface Child {
  id: string;
  name: string;
  level: string;
  figures: Figures;
}

/** The organisations of which the person who is signed in has an office that reads figures. */
export function useOffices(): { ids: readonly string[]; me: Reading<AnswerOf<"/v1/me">> } {
  const me = useReading("profile", "/v1/me");
  const ids = (me.data?.roles ?? []).filter(({ role }) => role === "officer").map((each) => each.organisation_id);
  return { ids: [...new Set(ids)], me };
}

/** The address of the board on which a place stands; the tab itself for the places of one's offices. */
export function useAbove(organisation_id: string, tops: readonly string[]): string {
  const { data } = useReading("area", "/v1/organisations/{organisation_id}", { path: { organisation_id } });
  return tops.includes(organisation_id) || data?.parent_id == null ? "/area" : `/area/places/${data.parent_id}`;
}

type Path = Extract<ReadPath, `${string}/children`>;
type Item<P extends Path> = AnswerOf<P>["items"][number];

/** Reads all pages of a list of children, for their order is known once all are there: no `data` before. */
function useAll<P extends Path>(path: P, organisation_id: string): Reading<readonly Item<P>[]> {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const wheres = [undefined, ...cursors].map((cursor) => ({
    path: { organisation_id },
    query: { limit: MOST, cursor },
  }));
  const pages = wheres.map(
    (where) =>
      portal.subjects.at<Path>("area", path, where as Where<Path>).value as unknown as Reading<{
        items: readonly Item<P>[];
        next_cursor?: string | null;
      }>,
  );
  const addresses = wheres.map((where) => addressOf(path, where));
  useEffect(() => {
    const stops = addresses.map((address) => portal.subjects.watch("area", address));
    return () => {
      for (const stop of stops) stop();
    };
  }, [addresses.join(" ")]);
  const next = pages.at(-1)?.data?.next_cursor ?? null;
  useEffect(() => {
    if (next !== null) setCursors([...cursors, next]);
  }, [next]);
  const state = stateOf(pages);
  const isWhole = next === null && pages.every(({ data }) => data !== undefined);
  return isWhole ? { ...state, data: pages.flatMap(({ data }) => data?.items ?? []) } : state;
}

/** What is to be said of several readings as of one. */
function stateOf(readings: readonly Reading<unknown>[]): Reading<never> {
  const trouble = readings.find((each) => each.trouble !== undefined)?.trouble;
  const seen = readings.flatMap(({ seenAt }) => seenAt ?? []);
  return {
    asking: readings.some(({ asking }) => asking),
    ...(trouble !== undefined && { trouble }),
    ...(seen.length > 0 && { seenAt: Math.min(...seen) }),
  };
}

/** Compares as divisions stand in the official list; what has no code of its own comes after them, by name. */
export function inOfficialOrder(codes: ReadonlyMap<string, string>): (a: Child, b: Child) => number {
  const keys = (child: Child) => [codes.get(child.id) ?? "~", child.name, child.id] as const;
  return (a, b) => {
    const [one, other] = [keys(a), keys(b)];
    const at = one.findIndex((key, index) => key !== other[index]);
    return at < 0 ? 0 : (one[at] as string) < (other[at] as string) ? -1 : 1;
  };
}

/** What stands directly below a place with its figures, in official order whatever the figures are. */
export function useChildren(organisation_id: string): Reading<readonly Child[]> {
  const figures = useAll("/v1/overview/{organisation_id}/children", organisation_id);
  const register = useAll("/v1/organisations/{organisation_id}/children", organisation_id);
  const state = stateOf([figures, register]);
  if (figures.data === undefined || register.data === undefined) return state;
  const codes = new Map(register.data.map((each) => [each.organisation_id, each.division_code ?? "~"]));
  const children = figures.data.map((each) => ({
    id: each.organisation_id,
    name: each.organisation_name,
    level: each.level,
    figures: byMeasure(each.figures),
  }));
  return { ...state, data: children.sort(inOfficialOrder(codes)) };
}
