/** Every screen and its address: a new one is a file in screens/ and a line here. */

import { Activities, CheckIn, Meeting } from "./screens/activities.tsx";
import { Home } from "./screens/home.tsx";
import { SCREENS as LEARN } from "./screens/learn.ts";
import { Me } from "./screens/me.tsx";
import { OutboxScreen } from "./screens/outbox.tsx";
import type { Bundle, Screen } from "./shell/router.ts";

/** Of members and villagers; they come with the first load. */
export const SCREENS: readonly Screen[] = [
  { path: "/", tab: "home", view: Home },
  { path: "/activities", tab: "home", view: Activities },
  { path: "/activities/{activity_id}", tab: "home", view: Meeting },
  { path: "/activities/{activity_id}/check-in", tab: "home", view: CheckIn },
  ...LEARN,
  { path: "/me", tab: "me", view: Me },
  { path: "/outbox", tab: "me", view: OutboxScreen },
];

const area = async () => (await import("./screens/area.ts")).SCREENS;
/** Of offices, and what is seldom asked for, each a file of its own. */
export const BUNDLES: readonly Bundle[] = [
  { under: "/branch", load: async () => (await import("./screens/branch.ts")).SCREENS },
  { under: "/status", load: async () => (await import("./screens/status.tsx")).SCREENS },
  { under: "/area", load: area },
  { under: "/account-lists", load: area },
];
