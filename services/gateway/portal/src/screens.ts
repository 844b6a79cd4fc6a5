/** Every screen and its address: a new one is a file in screens/ and a line here. */

import { Home } from "./screens/home.tsx";
import { Me } from "./screens/me.tsx";
import { OutboxScreen } from "./screens/outbox.tsx";
import type { Bundle, Screen } from "./shell/router.ts";

/** Of members and villagers; they come with the first load. */
export const SCREENS: readonly Screen[] = [
  { path: "/", tab: "home", view: Home },
  { path: "/me", tab: "me", view: Me },
  { path: "/outbox", tab: "me", view: OutboxScreen },
];

const mine = async () => (await import("./screens/mine.ts")).SCREENS;
/** What the first opening does without, each a file of its own: of offices, of reports and what is mine. */
export const BUNDLES: readonly Bundle[] = [
  { under: "/cases", load: mine },
  { under: "/me", load: mine },
];
