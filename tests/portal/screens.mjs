// Every screen of the portal: who opens it and at which address. A new screen is a line here.
// An id in it, as `{case_id}`, is one that the test put there. `ready` is what is awaited beside its heading, `before(page)` puts something on the phone, `show(page)` brings out what
// is only there after a tap. All of it may run several times.

import { inStore } from "./visitor.mjs";

export const SCREENS = [
  { name: "welcome", who: null, address: "/", ready: "[data-sign-in]" },
  { name: "home", who: "away", address: "/", ready: "article" },
  { name: "home-clear", who: "villager", address: "/", ready: "article" },
  { name: "home-offline", who: "away", address: "/", ready: "a.outbox-bar", offline: true, before: waitingAct },
  { name: "outbox", who: "away", address: "/outbox", ready: "article", offline: true, before: actsOfAllStates },
  { name: "outbox-discard", who: "away", address: "/outbox", ready: "dialog", offline: true, before: waitingAct, show: tapLast },
  { name: "me", who: "away", address: "/me", ready: ".choices" },
  { name: "me-sign-out", who: "away", address: "/me", ready: "dialog", offline: true, before: waitingAct, show: leave },
  { name: "branch", who: "secretary", address: "/branch", ready: "article" },
  { name: "branch-answer", who: "secretary", address: "/branch/cases/{case_id}", ready: "textarea" },
  { name: "branch-plan", who: "secretary", address: "/branch/plan", ready: "#date" },
  { name: "branch-plan-faults", who: "secretary", address: "/branch/plan", ready: ".errors", show: planNothing },
  { name: "branch-sheet", who: "secretary", address: "/branch/activities/{activity_id}/sheet", ready: ".tick", show: tickSome },
  { name: "branch-sheet-offline", who: "secretary", address: "/branch/activities/{activity_id}/sheet", ready: ".tick", offline: true },
  { name: "branch-sheet-early", who: "secretary", address: "/branch/activities/{later_id}/sheet", ready: ".tick" },
  { name: "branch-members", who: "secretary", address: "/branch/members", ready: ".list-row" },
  { name: "branch-file", who: "secretary", address: "/branch/members/{person_id}", ready: ".choices" },
  { name: "branch-file-open", who: "secretary", address: "/branch/members/{person_id}", ready: "dl", show: openFile },
  { name: "branch-learners", who: "secretary", address: "/branch/lessons/{lesson_id}", ready: ".list-row" },
  { name: "missing", who: "away", address: "/nowhere" },
];

function act(number, state, result) {
  const op_id = `01930000-0000-7000-8000-00000000000${number}`;
  const acted_at = new Date().toISOString();
  return { op_id, subject_id: op_id, kind: "case.confirm", acted_at, body: {}, about: "村口的路灯坏了", state, result };
}

function waitingAct(page) {
  return inStore(page, "outbox", [act(1, "waiting")]);
}

function actsOfAllStates(page) {
  const problem = { title: "这件事已经办结了。", detail: "办结以后不能再改，可以重新反映。", type: "/problems/case_closed" };
  return inStore(page, "outbox", [act(1, "waiting"), act(2, "sent"), act(3, "refused", problem), act(4, "conflict", problem)]);
}

function tapLast(page) {
  return page.locator("article button").last().click();
}

function leave(page) {
  return page.locator("main > button").last().click();
}

async function planNothing(page) {
  await page.locator("#title").fill("");
  await page.locator("#join_url").fill("http://example.org");
  await page.locator("main > button").last().click();
}

async function tickSome(page) {
  for (const row of [0, 2, 3]) await page.locator(".tick input:not(:disabled)").nth(row).setChecked(true);
}

async function openFile(page) {
  await page.locator("main > button").last().click();
}
