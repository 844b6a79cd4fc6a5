// The ten ways of docs/portal.md by keyboard alone: each tells what was seen, and where the focus was lost or not seen.

import { existsSync, readFileSync } from "node:fs";
import { allSent, browser, home, ops, perform, until, watched } from "./journey.mjs";
import { signIn, told, visitor } from "./visitor.mjs";

const MOST_STOPS = 150;

/** Says what has the focus, and what is wrong with how it is seen. */
function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return { what: "nothing", faults: ["the focus is lost"] };
    const shown = at.closest("label") ?? at;
    const ring = [at, shown].map((each) => getComputedStyle(each)).some(({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2);
    const { x, y, width, height } = shown.getBoundingClientRect();
    const middle = document.elementFromPoint(x + width / 2, y + height / 2);
    const faults = [ring || /^H1$/.test(at.tagName) || at.matches("[tabindex='-1']") ? "" : "no ring", shown.contains(middle) ? "" : "it is covered or out of sight"].filter(Boolean);
    return { what: `${at.tagName.toLowerCase()} ${(at.getAttribute("aria-label") ?? shown.textContent).trim().slice(0, 30)}`, faults };
  });
}

/** Somebody who signed in and has keys alone from then on. */
async function typist(username) {
  const { page, context, problems } = await visitor(browser);
  const quiet = watched(page);
  await signIn(page, username);
  await quiet();
  const has = (locator) => locator.evaluate((each) => each === document.activeElement || each.matches("label") && each.contains(document.activeElement));
  const noted = async (after) => {
    const { what, faults } = await focused(page);
    problems.push(...faults.map((fault) => `${fault}: ${what}, ${after}, at ${new URL(page.url()).pathname}`));
  };
  /** Goes from stop to stop until what is looked for has the focus. */
  const to = async (wanted, key = "Tab") => {
    const locator = (typeof wanted === "string" ? page.locator(wanted) : wanted).first();
    await locator.waitFor();
    for (let stops = 0, rounds = 0; stops < MOST_STOPS && rounds < 2; stops++) {
      if (await has(locator)) return;
      await page.keyboard.press(key);
      const isBetween = await page.evaluate(() => document.activeElement === document.body); // the last stop and the first
      rounds += isBetween;
      if (!isBetween) await noted(`after ${key}`);
    }
    throw new Error(`no way by ${key} to ${wanted}`);
  };
  /** Goes there and presses it; a link or a row of choices may be told another key. */
  const press = async (wanted, key = "Enter", way = "Tab") => {
    await to(wanted, way);
    await page.keyboard.press(key);
  };
  /** Waits for a new screen, whose heading has the focus, and for all that it shows: what comes pushes what is there. */
  const arrives = async (address) => {
    await page.waitForURL(address);
    const isThere = await until(page, () => page.evaluate(() => document.activeElement?.tagName === "H1" || document.activeElement?.matches("textarea")));
    if (!isThere) problems.push(`the focus is at ${(await focused(page)).what} on a new screen: ${address}`);
    await quiet();
  };
  /** Waits for what is said once something was done; the focus is not lost by it. */
  const says = async (wanted) => {
    await page.locator(wanted).first().waitFor();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await noted(`once ${wanted} is there`);
    return page.locator(wanted).first().textContent();
  };
  return { page, context, problems, to, press, arrives, says };
}

const tab = (address) => `nav a[href$='/app${address}']`;

await perform({
  async "1 a meeting"() {
    const { page, context, problems, press, says } = await typist(told.people.away);
    await press(page.locator("article", { hasText: "第四季度党课" }).locator("button"));
    await says("article .done");
    await page.goto(`${told.url}/app/activities/${told.here.activity_id}/check-in`); // a code is scanned, not typed
    await press("article .button", "Space");
    await says("article .done");
    const sent = await allSent(page);
    await context.close();
    return { sent, problems };
  },

  async "2 a lesson"() {
    const { page, context, problems, press, arrives, says } = await typist(told.people.away);
    await press(tab("/courses"));
    await arrives("**/app/courses");
    await press(".list-row");
    await arrives("**/app/courses/*");
    await press("main ol a, main .list-row");
    await arrives("**/app/lessons/*");
    const lesson = new URL(page.url()).pathname.split("/").pop();
    await press(page.getByRole("button", { name: "懂了" }));
    const said = await says("main .done");
    const sent = await allSent(page);
    await context.close();
    return { lesson, said, sent, problems };
  },

  async "3 a report"() {
    const { page, context, problems, to, press, arrives, says } = await typist(told.people.away);
    await press(tab("/cases"));
    await arrives("**/app/cases");
    await press("main a[href$='/cases/new']");
    await arrives("**/app/cases/new");
    await press(".choice >> text=道路");
    await arrives("**/app/cases/new/where");
    await press(".choice", "Space");
    await page.waitForURL("**/app/cases/new/words");
    await page.locator("textarea:focus").waitFor();
    await press("main > button"); // nothing is written yet
    const summary = await page.locator(".errors:focus").waitFor().then(() => true);
    await press(".errors a");
    await page.keyboard.type("桥边的路塌了一角。");
    await press("main > button");
    await arrives("**/app/cases/new/check");
    await press("main > button");
    await arrives(/\/app\/cases\/[0-9a-f-]{36}$/);
    const sent = await allSent(page);
    const [{ subject_id }] = await ops(page);
    await context.close();
    return { summary, subject: subject_id, sent, problems };
  },

  async "4 an answer"() {
    const { page, context, problems, press, arrives, says } = await typist(told.people.away);
    await press("article:has-text('道路') a.plain");
    await arrives("**/app/cases/*");
    const subject = new URL(page.url()).pathname.split("/").pop();
    await press("main > button.button:not(.second)");
    await until(page, async () => (await ops(page)).length > 0);
    await says("main .notice, main .done");
    const sent = await allSent(page);
    await context.close();
    return { subject, sent, problems };
  },

  async "5 one's own file"() {
    const { page, context, problems, to, press, arrives } = await typist(told.people.away);
    await press(tab("/me"));
    await arrives("**/app/me");
    await press("a[href$='/me/access-log']");
    await arrives("**/app/me/access-log");
    await press(".back", "Enter", "Shift+Tab");
    await arrives("**/app/me");
    await press("a[href$='/me/file']");
    await arrives("**/app/me/file");
    await press("a[href$='/me/file/edit']");
    await arrives("**/app/me/file/edit");
    await to("#phone");
    await page.keyboard.type("12");
    await page.keyboard.press("Enter");
    const summary = await page.locator(".errors:focus").waitFor().then(() => true);
    await press(".errors a");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("13900139003");
    await page.keyboard.press("Enter");
    await arrives("**/app/me/file");
    const sent = await allSent(page);
    await context.close();
    return { summary, sent, problems };
  },

  async "6 answering a case"() {
    const { page, context, problems, to, press, arrives, says } = await typist(told.people.secretary);
    await press(tab("/branch"));
    await arrives("**/app/branch");
    await press(`a[href$="/branch/cases/${told.here.case_id}"]`);
    await arrives("**/app/branch/cases/*");
    await to("textarea");
    await page.keyboard.type("下周一就补好。");
    await press(page.locator("main > button").last());
    await says("main .notice");
    await context.close();
    return { problems };
  },

  async "7 a sheet"() {
    const { page, context, problems, press, arrives, says } = await typist(told.people.secretary);
    await press(tab("/branch"));
    await arrives("**/app/branch");
    await press(`a[href*="${told.here.activity_id}"]`);
    await arrives("**/sheet");
    await page.locator(".tick").first().waitFor();
    const free = page.locator(".tick input:not(:disabled):not(:checked)");
    const before = await page.locator(".tick input:checked").count();
    for (let people = 0; people < 3; people++) await press(free, "Space");
    await press("main .row.apart button");
    await says("main .notice a");
    const sent = await allSent(page);
    await context.close();
    return { before, sent, problems };
  },

  async "8 helping somebody"() {
    const { page, context, problems, to, press, arrives, says } = await typist(told.people.secretary);
    await press(tab("/branch"));
    await arrives("**/app/branch");
    await press("a[href$='/branch/members']");
    await arrives("**/app/branch/members");
    await press(`a[href$="${told.here.member_id}"]`);
    await arrives("**/app/branch/members/*");
    await to(".choices input:checked, .choices input");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await press(page.locator("main > button").last());
    await says("dl");
    await press("a[href$='/branch/assist']");
    await arrives("**/branch/assist");
    await press(page.locator("main > button").last());
    await page.locator("#code").waitFor();
    await until(page, () => existsSync(told.code));
    await to("#code");
    await page.keyboard.type(readFileSync(told.code, "utf8"));
    await press(page.locator("main > button").last());
    await says(".notice.wait:not([role=alert]) button");
    await press(".notice.wait button");
    await says("main > a.button");
    await context.close();
    return { problems };
  },

  async "9 who needs help, and a figure"() {
    const { page, context, problems, to, press, arrives } = await typist(told.people.officer);
    await press(tab("/area"));
    await arrives("**/app/area");
    await press(".groups summary");
    const formula = await page.locator(".groups details[open]").first().textContent();
    await press('a[href*="/area/places/"]');
    await arrives("**/area/places/*");
    await to(".tile");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.locator(".crumbs li").nth(1).waitFor();
    await arrives("**/area/places/*");
    await press(tab("/area"));
    await arrives("**/app/area");
    await press('a[href*="/area/help/"]');
    await arrives("**/area/help/*");
    await context.close();
    return { formula, problems };
  },

  async "10 an approval"() {
    const { page, context, problems, to, press, arrives, says } = await typist(told.people.secretary);
    await home(page);
    await page.goto(`${told.url}/app/area/approvals`); // a branch secretary has the address alone
    const card = page.locator("article", { hasText: told.phone });
    await press(card.getByRole("button", { name: "同意", exact: true }));
    await page.locator("dialog:focus-within").waitFor();
    await page.keyboard.press("Escape");
    const back = await until(page, () => card.getByRole("button", { name: "同意", exact: true }).evaluate((each) => each === document.activeElement));
    await page.keyboard.press("Enter");
    await press(page.locator("dialog").getByRole("button", { name: "同意", exact: true }));
    const said = await says("main .notice");
    await context.close();
    return { back, said, problems };
  },
});
