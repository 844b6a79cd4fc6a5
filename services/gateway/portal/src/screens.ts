/** Every screen and its address: a new one is a file in screens/ and a line here. */

import { Home } from "./screens/home.tsx";
import { Me } from "./screens/me.tsx";
import type { Bundle, Screen } from "./shell/router.ts";

/** Of members and villagers; they come with the first load. */
export const SCREENS: readonly Screen[] = [
  { path: "/", tab: "home", view: Home },
  { path: "/me", tab: "me", view: Me },
];

const part = async () => (await import("./screens/part.ts")).SCREENS;
const mine = async () => (await import("./screens/mine.ts")).SCREENS;
const branch = async () => (await import("./screens/branch.ts")).SCREENS;
const area = async () => (await import("./screens/area.ts")).SCREENS;
/** What the first opening does without, of offices, and what is seldom asked for: each a file of its own. */
export const BUNDLES: readonly Bundle[] = [
  { under: "/activities", load: part },
  { under: "/courses", load: part },
  { under: "/lessons", load: part },
  { under: "/outbox", load: part },
  { under: "/cases", load: mine },
  { under: "/me/assist", load: branch },
  { under: "/me", load: mine },
  { under: "/branch", load: branch },
  { under: "/status", load: async () => (await import("./screens/status.tsx")).SCREENS },
  { under: "/area", load: area },
  { under: "/account-lists", load: area },
];
