/** What one takes part in, meetings and courses, and what of it waits to be sent: loaded when one of them is opened, and kept on the phone. */

import type { Screen } from "../shell/router.ts";
import { Activities, CheckIn, Meeting } from "./activities.tsx";
import { Course, Courses } from "./courses.tsx";
import { Lesson } from "./lesson.tsx";
import { OutboxScreen } from "./outbox.tsx";

export const SCREENS: readonly Screen[] = [
  { path: "/activities", tab: "home", view: Activities },
  { path: "/activities/{activity_id}", tab: "home", view: Meeting },
  { path: "/activities/{activity_id}/check-in", tab: "home", view: CheckIn },
  { path: "/courses", tab: "learn", view: Courses },
  { path: "/courses/{course_id}", tab: "learn", view: Course },
  { path: "/lessons/{lesson_id}", tab: "learn", view: Lesson },
  { path: "/outbox", tab: "me", view: OutboxScreen },
];
