/** The screens of learning: courses, one of them, and a lesson. */

import type { Screen } from "../shell/router.ts";
import { Course, Courses } from "./courses.tsx";
import { Lesson } from "./lesson.tsx";

export const SCREENS: readonly Screen[] = [
  { path: "/courses", tab: "learn", view: Courses },
  { path: "/courses/{course_id}", tab: "learn", view: Course },
  { path: "/lessons/{lesson_id}", tab: "learn", view: Lesson },
];
