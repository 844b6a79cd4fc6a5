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
  { name: "cases", who: "villager", address: "/cases", ready: ".list-row" },
  { name: "cases-none", who: "member", address: "/cases", ready: ".lead" },
  { name: "case", who: "away", address: "/cases", ready: ".card", show: openCase },
  { name: "case-unsent", who: "villager", address: `/cases/01930000-0000-7000-8000-000000000001`, ready: ".card", offline: true, before: unsentCase },
  { name: "report-what", who: "villager", address: "/cases/new", ready: ".choice" },
  { name: "report-where", who: "villager", address: "/cases/new", ready: ".choice", show: (page) => report(page, 1) },
  { name: "report-words", who: "villager", address: "/cases/new", ready: ".errors", show: (page) => report(page, 2) },
  { name: "report-check", who: "villager", address: "/cases/new", ready: ".facts", show: (page) => report(page, 3) },
  { name: "access-log", who: "member", address: "/me/access-log", ready: ".card" },
  { name: "file", who: "member", address: "/me/file", ready: ".facts", show: openHistory },
  { name: "file-clash", who: "member", address: "/me/file", ready: ".card.due", offline: true, before: corrections },
  { name: "file-none", who: "villager", address: "/me/file", ready: ".lead" },
  { name: "file-edit", who: "member", address: "/me/file/edit", ready: ".errors", show: wrongPhone },
  { name: "consents", who: "member", address: "/me/consents", ready: ".card" },
  { name: "helpers", who: "member", address: "/me/helpers", ready: ".lead" },
  { name: "export", who: "member", address: "/me/export", ready: "main > button" },
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

/** Goes on by so many steps of a report; in the third without a word, so that it says what is missing. */
async function report(page, steps) {
  for (let step = 0; step < Math.min(steps, 2); step++) {
    const shown = page.url();
    await page.locator(".choice").first().click();
    await page.waitForURL((url) => url.href !== shown);
  }
  if (steps < 2) return;
  await page.locator("textarea").fill(steps === 2 ? "" : "村口到小学的路灯坏了三盏，孩子晚上放学看不清路。");
  await page.locator("main > button").click();
}

function openCase(page) {
  return page.locator(".list-row").first().click();
}

function unsentCase(page) {
  const body = { category: "roads", text: "村口到小学的路灯坏了三盏，孩子晚上放学看不清路。" };
  return inStore(page, "outbox", [{ ...act(1, "waiting"), kind: "case.open", body }]);
}

async function openHistory(page) {
  await page.locator("details summary").click();
  await page.locator(".history li").first().waitFor();
}

/** One that waits for a proof of who one is, and one of which somebody else changed the same meanwhile. */
function corrections(page) {
  const clash = { version: 7, conflicts: { phone: { stored: "139******02", sent: "13900139001" } } };
  const proof = { type: "https://x.example/problems/step_up_required", acr_values: "1" };
  const waiting = { ...act(1, "waiting", proof), kind: "profile.revise", body: { phone: "13800138000" } };
  return inStore(page, "outbox", [waiting, { ...act(2, "conflict", clash), kind: "profile.revise", body: { phone: "13900139001" } }]);
}

async function wrongPhone(page) {
  await page.locator("#phone").fill("12345");
  await page.locator("form button").click();
}
