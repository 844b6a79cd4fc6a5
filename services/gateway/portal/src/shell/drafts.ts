/** What somebody began to write or to tick: kept on the phone whatever happens to the page, until it is done. */

import { type Signal, signal } from "@preact/signals";
import { portal } from "./portal.ts";

/** The draft of what is about to be reported. */
export const REPORT = "report";

const drafts = new Map<string, Signal<unknown>>();
const key = (name: string): string => `draft ${name}`;

/** Undefined until it was looked for, null where there is none. */
function draftOf(name: string): Signal<unknown> {
  const known = drafts.get(name);
  if (known !== undefined) return known;
  const draft = signal<unknown>();
  drafts.set(name, draft);
  void portal.database.get("meta", key(name)).then((kept) => {
    if (draft.value === undefined) draft.value = kept ?? null;
  });
  return draft;
}

/** Keeps a draft in place of the one before; null forgets it. */
export async function keepDraft(name: string, value: unknown): Promise<void> {
  draftOf(name).value = value;
  await (value === null ? portal.database.delete("meta", key(name)) : portal.database.put("meta", value, key(name)));
}

/** Gives a draft, undefined until it was looked for, null where there is none; and what keeps another. */
export function useDraft<T>(name: string): [T | null | undefined, (value: T | null) => Promise<void>] {
  return [draftOf(name).value as T | null | undefined, (value) => keepDraft(name, value)];
}

/** Forgets them on this page, as after the phone was wiped. */
export function forgetDrafts(): void {
  for (const draft of drafts.values()) draft.value = null;
}
