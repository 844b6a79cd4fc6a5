/** Screens of whoever has an office in a branch, or helps others: loaded when one of them is opened. */

import type { Screen } from "../shell/router.ts";
import { AnswerCase } from "./branch/answer.tsx";
import { Assist, Witness } from "./branch/assist.tsx";
import { Learners } from "./branch/learners.tsx";
import { MemberFile, Members } from "./branch/members.tsx";
import { Plan } from "./branch/plan.tsx";
import { Sheet } from "./branch/sheet.tsx";
import { Branch } from "./branch/today.tsx";

export const SCREENS: readonly Screen[] = [
  { path: "/branch", tab: "branch", view: Branch },
  { path: "/branch/plan", tab: "branch", view: Plan },
  { path: "/branch/cases/{case_id}", tab: "branch", view: AnswerCase },
  { path: "/branch/activities/{activity_id}/sheet", tab: "branch", view: Sheet },
  { path: "/branch/members", tab: "branch", view: Members },
  { path: "/branch/members/{person_id}", tab: "branch", view: MemberFile },
  { path: "/branch/lessons/{lesson_id}", tab: "branch", view: Learners },
  { path: "/branch/assist", tab: "branch", view: Assist },
  { path: "/me/assist", tab: "me", view: Assist },
  { path: "/me/assist/{person_id}", tab: "me", view: Assist },
  { path: "/branch/assist/{assist_id}/witness", tab: "branch", view: Witness },
];
