/** The places of an officer: those they hold an office for, and what stands below one, in official order. */

import { useEffect, useState } from "preact/hooks";
import { type AnswerOf, addressOf } from "../../api/client.ts";
import { portal, useReading, useWatching } from "../../shell/portal.ts";
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

const PATH = "/v1/overview/{organisation_id}/children";

/**
 * What stands directly below a place with its figures, all pages of it: in the order that the system gives, that of
 * divisions. No `data` before all is there.
 */
export function useChildren(organisation_id: string): Reading<readonly Child[]> {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const wheres = [undefined, ...cursors].map((cursor) => ({
    path: { organisation_id },
    query: { limit: MOST, ...(cursor && { cursor }) },
  }));
  const pages = wheres.map((where) => portal.subjects.at("area", PATH, where).value);
  useWatching(
    "area",
    wheres.map((where) => addressOf(PATH, where)),
  );
  const next = pages.at(-1)?.data?.next_cursor ?? null;
  useEffect(() => {
    if (next !== null) setCursors([...cursors, next]);
  }, [next]);
  const seen = pages.flatMap(({ seenAt }) => seenAt ?? []);
  const trouble = pages.find((page) => page.trouble !== undefined)?.trouble;
  const isWhole = next === null && pages.every(({ data }) => data !== undefined);
  return {
    asking: pages.some(({ asking }) => asking),
    ...(trouble !== undefined && { trouble }),
    ...(seen.length > 0 && { seenAt: Math.min(...seen) }),
    ...(isWhole && { data: pages.flatMap(({ data }) => data?.items ?? []).map(childOf) }),
  };
}

function childOf(each: AnswerOf<typeof PATH>["items"][number]): Child {
  return {
    id: each.organisation_id,
    name: each.organisation_name,
    level: each.level,
    figures: byMeasure(each.figures),
  };
}
