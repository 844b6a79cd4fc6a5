/** What somebody is about to report: kept on the phone as it is written, so that no reload and no call loses it. */

import { type Signal, signal } from "@preact/signals";
import { portal } from "../../shell/portal.ts";

export interface Draft {
  category?: string;
  place?: string;
  text?: string;
}

const KEY = "report";
/** Undefined until it was looked for. */
export const draft: Signal<Draft | undefined> = signal();

export async function findDraft(): Promise<void> {
  draft.value ??= ((await portal.database.get("meta", KEY)) as Draft | undefined) ?? {};
}

export async function write(changed: Draft): Promise<void> {
  draft.value = { ...draft.value, ...changed };
  await portal.database.put("meta", draft.value, KEY);
}

export async function forgetDraft(): Promise<void> {
  draft.value = {};
  await portal.database.delete("meta", KEY);
}
