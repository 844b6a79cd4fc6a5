/** Every screen and its address: a new one is a file in screens/ and a line here. */

import { Activities, CheckIn, Meeting } from "./screens/activities.tsx";
import { Home } from "./screens/home.tsx";
import { Me } from "./screens/me.tsx";
import { OutboxScreen } from "./screens/outbox.tsx";
import type { Bundle, Screen } from "./shell/router.ts";

/** Of members and villagers; they come with the first load. */
export const SCREENS: readonly Screen[] = [
  { path: "/", tab: "home", view: Home },
  { path: "/activities", tab: "home", view: Activities },
  { path: "/activities/{activity_id}", tab: "home", view: Meeting },
  { path: "/activities/{activity_id}/check-in", tab: "home", view: CheckIn },
  { path: "/me", tab: "me", view: Me },
  { path: "/outbox", tab: "me", view: OutboxScreen },
];

const learn = async () => (await import("./screens/learn.ts")).SCREENS;
/** Of what the first opening does without, and of offices: each a file of its own. */
export const BUNDLES: readonly Bundle[] = [
  { under: "/courses", load: learn },
  { under: "/lessons", load: learn },
  { under: "/branch", load: async () => (await import("./screens/branch.ts")).SCREENS },
];
