// Every screen of the portal: who opens it and at which address. A new screen is a line here.
// `ready` is what is awaited beside its heading, `before(page)` puts something on the phone, `show(page)` brings out what
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
