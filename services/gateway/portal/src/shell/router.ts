/** Addresses below /app and the screens at them. */

import { computed, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import type { Texts } from "../texts/zh.ts";

/** On a terminal that people use in turn the address never changes: going back, nothing of anybody is there. */
export const isShared = location.pathname.startsWith("/kiosk/");
const ROOT = isShared ? "/kiosk" : "/app";
export type Params = Record<string, string>;
export type TabName = keyof Texts["tabs"];

export interface Screen {
  /** As in the API's document where it shows one of its things: `/cases/{case_id}`. */
  path: string;
  /** The tab it belongs to. */
  tab: TabName;
  view: ComponentType<{ params: Params }>;
}

/** Screens of a file of their own that is loaded when an address below `under` is opened. */
export interface Bundle {
  under: string;
  load(): Promise<readonly Screen[]>;
}

const screens = signal<readonly Screen[]>([]);
const bundles: Bundle[] = [];

export function register(first: readonly Screen[], later: readonly Bundle[]): void {
  screens.value = first;
  bundles.push(...later);
}

const here = () => location.pathname.slice(ROOT.length).replace(/(.)\/$/, "$1") || "/";
export const path = signal(here());

export function match(address: string): { screen: Screen; params: Params } | null {
  for (const screen of screens.value) {
    const pattern = new RegExp(`^${screen.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    const found = pattern.exec(address);
    if (found !== null) return { screen, params: { ...found.groups } };
  }
  return null;
}

/** Whether a file of screens could not be had: there is no network, and it is not on the phone yet. */
export const isMissing = signal(false);

/** What is at the address of now; undefined while its file is loaded. */
export const shown = computed(() => {
  const found = match(path.value);
  if (found !== null) return found;
  const at = bundles.findIndex(({ under }) => path.value === under || path.value.startsWith(`${under}/`));
  if (at < 0) return null;
  const load = bundles.splice(at, 1)[0]?.load();
  void load?.then((more) => (screens.value = [...screens.value, ...more])).catch(() => (isMissing.value = true));
  return undefined;
});

/** Whether there is a screen at an address, so that nothing links to one that is not built yet. */
export function isBuilt(address: string): boolean {
  return match(address) !== null || bundles.some(({ under }) => address === under || address.startsWith(`${under}/`));
}

export const href = (address: string): string => `${ROOT}${address === "/" ? "/" : address}`;

export function go(address: string, how: "push" | "replace" = "push"): void {
  if (isShared) path.value = address;
  else {
    history[how === "push" ? "pushState" : "replaceState"](null, "", href(address));
    path.value = here();
  }
  scrollTo(0, 0);
}

/** Follows links to screens within the page; anything else the browser does itself. */
export function followLinks(): void {
  addEventListener("popstate", () => (path.value = here()));
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a");
    if (link === null || link.target !== "" || link.origin !== location.origin) return;
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (!link.pathname.startsWith(`${ROOT}/`) || (link.pathname === location.pathname && !isShared)) return;
    event.preventDefault();
    go(link.pathname.slice(ROOT.length));
  });
}
