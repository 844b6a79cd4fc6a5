// Every screen of the portal: who opens it and at which address. A new screen is a line here.
// Those of "terminal" are a kiosk's: `isIdle` before somebody is let in, the others from its six tiles on.
// An id in it, as `{case_id}`, is one that the test put there. `ready` is what is awaited beside its heading, `before(page)` puts something on the phone, `show(page)` brings out what
// is only there after a tap. All of it may run several times.

import { inStore, withVoice } from "./visitor.mjs";

const MEETING = "01930000-0000-7000-8000-0000000000aa";

export const SCREENS = [
  { name: "welcome", who: null, address: "/", ready: "[data-sign-in]" },
  { name: "home", who: "away", address: "/", ready: "article" },
  { name: "home-clear", who: "villager", address: "/", ready: "article" },
  { name: "home-offline", who: "away", address: "/", ready: "a.outbox-bar", offline: true, before: waitingAct },
  { name: "outbox", who: "away", address: "/outbox", ready: "article", offline: true, before: actsOfAllStates },
  { name: "outbox-attendance", who: "away", address: "/outbox", ready: "article", offline: true, before: checkedIn },
  { name: "outbox-discard", who: "away", address: "/outbox", ready: "dialog", offline: true, before: waitingAct, show: tapLast },
  { name: "activities", who: "away", address: "/activities", ready: ".list-row" },
  { name: "activities-none", who: "villager", address: "/activities", ready: "main > .button" },
  { name: "meeting", who: "away", address: "/activities", ready: ".facts", show: tapFirst },
  { name: "meeting-closed", who: "away", address: `/activities/${MEETING}`, ready: ".facts", offline: true, before: meeting(-180, -90, "closed") },
  { name: "check-in-early", who: "away", address: "/activities", ready: ".facts", show: checkIn },
  { name: "check-in", who: "away", address: `/activities/${MEETING}/check-in`, ready: ".facts", offline: true, before: meeting(-10, 80) },
  { name: "check-in-done", who: "away", address: `/activities/${MEETING}/check-in`, ready: ".done", offline: true, before: checkedIn },
  { name: "check-in-over", who: "away", address: `/activities/${MEETING}/check-in`, ready: ".facts", offline: true, before: meeting(-180, -90) },
  { name: "check-in-refused", who: "away", address: `/activities/${MEETING}/check-in`, ready: "[role=alert]", offline: true, before: notCheckedIn },
  { name: "check-in-unknown", who: "away", address: `/activities/${MEETING}/check-in`, ready: ".notice + .button", offline: true, before: nothingStored },
  { name: "courses", who: "away", address: "/courses", ready: ".list-row" },
  { name: "course", who: "away", address: "/courses", ready: "main > .button.second", show: tapFirst },
  { name: "lesson", who: "away", address: "/courses", ready: ".prose", show: tapLesson },
  { name: "lesson-aloud", who: "away", address: "/courses", ready: ".prose", before: withVoice, show: tapLesson },
  { name: "lesson-help", who: "away", address: "/courses", ready: ".done", show: askForHelp },
  { name: "me", who: "away", address: "/me", ready: ".choices" },
  { name: "me-sign-out", who: "away", address: "/me", ready: "dialog", offline: true, before: waitingAct, show: leave },
  { name: "me-wipe", who: "away", address: "/me", ready: "dialog", offline: true, before: waitingAct, show: (page) => page.locator("article button").click() },
  { name: "gone", who: "away", address: "/cases/01930000-0000-7000-8000-0000000000ee", ready: "[role=alert]" },
  { name: "helper-me", who: "helper", address: "/me", ready: "a[href$='/me/assist']" },
  { name: "helper-whom", who: "helper", address: "/me/assist", ready: "article" },
  { name: "helper-asks", who: "helper", address: "/me/assist/{member_id}", ready: ".choice" },
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
  { name: "branch-assist", who: "secretary", address: "/branch/members/{person_id}", ready: ".choice", show: askToHelp },
  { name: "branch-assist-whom", who: "secretary", address: "/branch/assist", ready: "main .button" },
  { name: "branch-witness", who: "secretary", address: "/branch/assist/{person_id}/witness", ready: "main > button" },
  { name: "status", who: "member", address: "/status", ready: ".list" },
  { name: "area", who: "officer", address: "/area", ready: ".groups", show: showAll },
  { name: "places", who: "officer", address: "/area", ready: "table", show: placesWithTable },
  { name: "places-below", who: "officer", address: "/area", ready: ".crumbs li:nth-child(2)", show: placesBelow },
  { name: "help", who: "officer", address: "/area", ready: "h2", show: (page) => page.locator('a[href*="/area/help/"]').click() },
  { name: "approvals", who: "officer", address: "/area/approvals", ready: ".notice, article" },
  { name: "cases", who: "villager", address: "/cases", ready: ".list-row" },
  { name: "cases-none", who: "member", address: "/cases", ready: ".lead" },
  { name: "case", who: "away", address: "/cases", ready: ".card", show: openCase },
  { name: "case-unsent", who: "villager", address: `/cases/01930000-0000-7000-8000-000000000001`, ready: ".card", offline: true, before: unsentCase },
  { name: "report-what", who: "villager", address: "/cases/new", ready: ".choice" },
  { name: "report-where", who: "villager", address: "/cases/new", ready: ".choice", show: (page) => report(page, 1) },
  { name: "report-words", who: "villager", address: "/cases/new", ready: ".errors", show: (page) => report(page, 2) },
  { name: "report-check", who: "villager", address: "/cases/new", ready: ".facts", show: (page) => report(page, 3) },
  { name: "access-log", who: "member", address: "/me/access-log", ready: "summary, .card", show: (page) => page.locator("summary").click() },
  { name: "file", who: "member", address: "/me/file", ready: ".facts", show: openHistory },
  { name: "file-clash", who: "member", address: "/me/file", ready: ".card.due", offline: true, before: corrections },
  { name: "file-none", who: "villager", address: "/me/file", ready: ".lead" },
  { name: "file-edit", who: "member", address: "/me/file/edit", ready: ".errors", show: wrongPhone },
  { name: "consents", who: "member", address: "/me/consents", ready: ".card" },
  { name: "helpers", who: "member", address: "/me/helpers", ready: "svg.qr" },
  { name: "export", who: "away", address: "/me/export", ready: "main > button" },
  { name: "kiosk", who: "terminal", isIdle: true, ready: ".code b" },
  { name: "kiosk-offline", who: "terminal", isIdle: true, ready: ".notice", show: cutOff },
  { name: "kiosk-tiles", who: "terminal", ready: ".tile .small" },
  { name: "kiosk-todo", who: "terminal", ready: "article", show: tile(0) },
  { name: "kiosk-report", who: "terminal", ready: ".choice", show: tile(3) },
  { name: "kiosk-elsewhere", who: "terminal", ready: "dialog .qr", show: tile(5, "a[href='/sign-in']") },
  { name: "kiosk-still", who: "terminal", ready: "dialog", show: (page) => page.clock.fastForward(91_000) },
  { name: "missing", who: "away", address: "/nowhere" },
];

async function cutOff(page) {
  await page.context().setOffline(true);
  await page.clock.fastForward(6_000);
}

/** Chooses one of a terminal's six things, and then what is named. */
function tile(at, next) {
  return async (page) => {
    await page.locator(".tile").nth(at).click();
    if (next) await page.locator(next).click();
  };
}

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

/** Has the phone know a meeting from and until these minutes from now, and nothing else. */
function meeting(from, until, status = "scheduled") {
  return async (page) => {
    const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
    const data = {
      version: 1, activity_id: MEETING, organisation_id: MEETING, kind: "branch_meeting", title: "第四季度支部党员大会",
      starts_at: at(from), ends_at: at(until), place: "村委会二楼会议室", join_url: "https://meeting.example.org/",
      agenda: ["学习上级文件", "讨论冬季水利工程"], status, closed_at: null, my_participation: null,
    };
    const id = `/v1/activities/${MEETING}`;
    await inStore(page, "subject", [{ scope: "activities", id, version: 1, etag: null, data, seen_at: Date.now() }]);
  };
}

const attendance = (state, result) => ({ ...act(1, state, result), subject_id: MEETING, kind: "attend", body: { mode: "in_person" } });

async function checkedIn(page) {
  await meeting(-10, 80)(page);
  await inStore(page, "outbox", [attendance("waiting")]);
}

async function notCheckedIn(page) {
  await meeting(-10, 80)(page);
  await inStore(page, "outbox", [attendance("refused", { title: "仅限主办组织及其下级组织的成员参加。", type: "/problems/not_a_member_there" })]);
}

function nothingStored(page) {
  return inStore(page, "subject", []);
}

function tapFirst(page) {
  return page.locator(".list-row").first().click();
}

async function checkIn(page) {
  await tapFirst(page);
  await page.locator(".facts").waitFor();
  await page.goto(`${page.url()}/check-in`);
}

async function tapLesson(page) {
  await tapFirst(page);
  await page.waitForURL(/courses\/./);
  await tapFirst(page);
}

async function askForHelp(page) {
  await tapLesson(page);
  await page.locator("article button.second").or(page.locator(".done")).first().waitFor();
  if (!(await page.locator(".done").count())) await page.locator("article button.second").click();
}

async function askToHelp(page) {
  await openFile(page);
  await page.locator("a[href$='/branch/assist']").click();
}

/** Opens all that a screen keeps behind buttons. */
async function showAll(page) {
  await page.locator(".groups svg").first().waitFor();
  for (const each of await page.locator("summary").all()) await each.click();
  for (const each of await page.locator(".groups button").all()) await each.click();
}

async function places(page) {
  await page.locator('a[href*="/area/places/"]').click();
  await page.locator(".tile").first().waitFor();
}

async function placesWithTable(page) {
  await places(page);
  await page.locator("select").selectOption("members.stage.applicant"); // some of it is hidden
  await page.locator("main button").click();
}

async function placesBelow(page) {
  await places(page);
  await page.locator(".tile").first().click();
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
