/** Every screen and its address: a new one is a file in screens/ and a line here. */

import { Case } from "./screens/case.tsx";
import { Cases } from "./screens/cases.tsx";
import { Home } from "./screens/home.tsx";
import { Me } from "./screens/me.tsx";
import { OutboxScreen } from "./screens/outbox.tsx";
import { Report } from "./screens/report.tsx";
import type { Bundle, Screen } from "./shell/router.ts";

/** Of members and villagers; they come with the first load. */
export const SCREENS: readonly Screen[] = [
  { path: "/", tab: "home", view: Home },
  { path: "/cases", tab: "report", view: Cases },
  { path: "/cases/new", tab: "report", view: Report },
  { path: "/cases/new/{step}", tab: "report", view: Report },
  { path: "/cases/{case_id}", tab: "report", view: Case },
  { path: "/me", tab: "me", view: Me },
  { path: "/outbox", tab: "me", view: OutboxScreen },
];

/** Of offices, each a file of its own: `{ under: "/branch", load: async () => (await import("./screens/branch.ts")).SCREENS }` */
export const BUNDLES: readonly Bundle[] = [];
