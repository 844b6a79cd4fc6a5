// What a secretary does for a branch: each journey tells what was seen, the test judges.

import { existsSync, readFileSync } from "node:fs";
import { allSent, browser, ops, perform, stored, tapping, until } from "./journey.mjs";
import { accessible } from "./looking.mjs";
import { signIn, told, visitor } from "./visitor.mjs";

/** Whether all that is ticked is written down on the phone. */
async function written(page) {
  const draft = await stored(page, "meta", `draft sheet ${told.here.activity_id}`);
  return draft?.length === (await page.locator(".tick input:checked:not(:disabled)").count());
}

/** Tries to take out the key by which the names on the phone are sealed. */
function exportedKey(page) {
  return page.evaluate(async () => {
    const asked = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    const database = await asked(indexedDB.open(`xq-${localStorage.getItem("xq-person")}`));
    const key = await asked(database.transaction("meta").objectStore("meta").get("roster_key"));
    database.close();
    return crypto.subtle.exportKey("raw", key).then(() => "exported", () => (key ? "refused" : "there is none"));
  });
}

await perform({
  async "a case is answered in three taps, and what was written survives the page"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/branch`);
    const tap = tapping(page);
    await tap(page.locator(`a[href$="/branch/cases/${told.here.case_id}"]`));
    await tap(page.locator("textarea"));
    await page.locator("textarea").fill("明天就去修。");
    await until(page, async () => (await stored(page, "meta", `draft answer ${told.here.case_id}`)) === "明天就去修。");
    await page.reload();
    await until(page, async () => (await page.locator("textarea").inputValue()) !== "");
    const kept = await page.locator("textarea").inputValue();
    await tap(page.locator("main > button").last());
    await page.locator("main .notice").waitFor();
    const said = await page.locator("main .said").allTextContents();
    await context.close();
    return { taps: tap.count, kept, said, problems };
  },

  async "a sheet is ticked without a network, one tap a person, and handed in once"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await page.locator("nav a[href$='/branch']").click();
    await page.locator(`a[href*="${told.here.activity_id}"]`).click();
    await page.locator(".tick").first().waitFor();
    await page.goto(`${told.url}/app/branch`);
    await page.locator(`a[href*="${told.here.activity_id}"]`).waitFor();
    await context.setOffline(true);
    const tap = tapping(page);
    await page.reload();
    await tap(page.locator(`a[href*="${told.here.activity_id}"]`));
    const rows = page.locator(".tick");
    await rows.first().waitFor();
    const people = await rows.count();
    for (let at = 0; at < people; at++) await tap(rows.nth(at));
    await until(page, () => written(page));
    await page.reload();
    await until(page, async () => (await page.locator(".tick input:checked").count()) === people);
    const kept = await page.locator(".tick input:checked").count();
    await tap(page.locator("main .row.apart button"));
    await page.locator("main .notice a").waitFor();
    const [waiting] = await ops(page);
    const again = await page.locator(".tick input:not(:disabled)").count();
    const names = await page.locator(".tick span:first-of-type").allTextContents();
    const all = [await stored(page, "subject"), await stored(page, "meta"), await stored(page, "outbox")];
    const clear = { exported: await exportedKey(page), seen: names.filter((name) => JSON.stringify(all).includes(name)).length };
    await context.setOffline(false);
    const sent = await allSent(page);
    await context.close();
    return { taps: tap.count, people, kept, again, state: waiting.state, sent, clear, problems };
  },

  async "a file opens once it is said what for, and nothing of it stays"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    const asked = [];
    page.on("request", (request) => request.url().includes(`/v1/members/${told.here.person_id}`) && asked.push(new URL(request.url()).search));
    await page.goto(`${told.url}/app/branch/members`);
    await page.locator(".list-row b").first().waitFor();
    const names = await page.locator(".list-row b").allTextContents();
    await page.locator(`a[href$="${told.here.person_id}"]`).click();
    await page.locator(".choices").waitFor();
    const before = asked.length;
    await page.locator("main > button").last().click();
    await page.locator("dl").waitFor();
    const [name, phone, id] = await page.locator("dd").allTextContents();
    const kept = JSON.stringify(await stored(page, "subject"));
    await context.close();
    return { masked: names.every((each) => each.includes("*")), before, asked, clear: /^\d{11}$/.test(phone), id: id.includes("*"), stays: kept.includes(phone) || kept.includes(name), problems };
  },

  async "a meeting is planned by what was filled in"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/branch/plan`);
    await page.locator("#title").waitFor();
    const title = await page.locator("#title").inputValue();
    const tap = tapping(page);
    await tap(page.locator("main > button").last());
    await page.locator("main .notice").waitFor();
    const activity_id = (await page.locator("main > a.button").first().getAttribute("href")).split("/").at(-2);
    await context.close();
    return { taps: tap.count, title, activity_id, problems };
  },

  async "a sheet is printed with every name, room to sign, and nothing else"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/branch/activities/${told.here.later_id}/sheet`);
    await page.locator(".tick").first().waitFor();
    const people = await page.locator(".tick").count();
    await page.emulateMedia({ media: "print" });
    if (told.pictures) await page.screenshot({ path: `${told.pictures}/branch-paper.png`, fullPage: true });
    const rows = await page.locator(".paper tbody tr:visible").count();
    const others = await page.locator("nav:visible, button:visible, .tick:visible").count();
    await context.close();
    return { people, rows, others, problems };
  },

  async "somebody is helped once a witness saw them agree, and no longer than until the end"() {
    const here = await visitor(browser);
    const there = await visitor(browser);
    const { page } = here;
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/branch/members/${told.here.person_id}`);
    await page.locator("main > button").last().click();
    await page.locator("a[href$='/branch/assist']").click();
    await page.locator(".choice").nth(1).click();
    const asking = page.waitForResponse((answer) => answer.url().endsWith("/v1/assisted-sessions") && answer.request().method() === "POST");
    await page.locator("main > button").last().click();
    const { assist_id } = await (await asking).json();
    await page.locator("svg.qr").waitFor();
    if (told.pictures) await page.screenshot({ path: `${told.pictures}/branch-assist-witness.png`, fullPage: true });
    await signIn(there.page, told.people.officer);
    await there.page.goto(`${told.url}/app/branch/assist/${assist_id}/witness`);
    await there.page.locator("main > button").waitFor();
    if (told.pictures) await there.page.screenshot({ path: `${told.pictures}/branch-witness.png`, fullPage: true });
    there.problems.push(...(await accessible(there.page)));
    await there.page.locator("main > button").click();
    await there.page.locator("main > button").waitFor({ state: "detached" });
    const helping = page.waitForRequest((request) => request.url().includes("/v1/home") && request.url().includes("include=subject"));
    const token = (await helping).headers().authorization;
    await page.locator("article button").first().waitFor();
    const bar = await page.locator(".notice.wait").textContent();
    here.problems.push(...(await accessible(page)));
    const acting = page.waitForRequest((request) => request.method() === "POST" && request.url().includes("/registrations"));
    await page.locator("article button", { hasText: "帮忙报名" }).first().click();
    const activity_id = new URL((await acting).url()).pathname.split("/").at(-2);
    await page.locator("article .done").waitFor();
    if (told.pictures) await page.screenshot({ path: `${told.pictures}/branch-helping.png`, fullPage: true });
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    await page.locator(".notice.wait button").click();
    await page.locator(".notice.wait").waitFor({ state: "detached" });
    const refused = await until(page, async () => (await fetch(`${told.url}/v1/home`, { headers: { authorization: token } })).status === 401);
    await here.context.close();
    await there.context.close();
    return { bar, activity_id, token: kept.includes("ey"), refused, problems: [...here.problems, ...there.problems] };
  },

  async "a helper without a branch scans the code on somebody's own phone, and helps them"() {
    const [here, theirs, there] = [await visitor(browser), await visitor(browser), await visitor(browser)];
    const { page } = here;
    await signIn(theirs.page, told.people.member);
    await theirs.page.goto(`${told.url}/app/me/helpers`);
    await theirs.page.locator("svg.qr").waitFor();
    const number = /[0-9A-F]{6}/.exec(await theirs.page.locator(".card", { has: theirs.page.locator("svg.qr") }).textContent())[0];
    await signIn(page, told.people.helper);
    await page.locator("nav a[href$='/me']").click();
    await page.locator("a[href$='/me/assist']").click();
    await page.locator("ol li").first().waitFor();
    await page.goto(`${told.url}/app/me/assist/${told.here.member_id}`); // the camera leads there
    await page.locator(".choice").nth(1).click();
    const shown = (await page.locator("h1").textContent()).includes(number);
    const asking = page.waitForResponse((answer) => answer.url().endsWith("/v1/assisted-sessions") && answer.request().method() === "POST");
    await page.locator("main > button").last().click();
    const { assist_id } = await (await asking).json();
    await signIn(there.page, told.people.secretary);
    await there.page.goto(`${told.url}/app/branch/assist/${assist_id}/witness`);
    await there.page.locator("main > button").click();
    await page.locator("article button").first().waitFor();
    const bar = await page.locator(".notice.wait").textContent();
    await page.locator(".notice.wait button").click();
    await page.locator("main > a.button").waitFor();
    await Promise.all([here, theirs, there].map(({ context }) => context.close()));
    return { shown, bar: bar.includes(number), problems: [here, theirs, there].flatMap(({ problems }) => problems) };
  },

  async "somebody is helped by the code that came to their phone"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/branch/members/${told.here.member_id}`);
    await page.locator("main > button").last().click();
    await page.locator("a[href$='/branch/assist']").click();
    await page.locator("main > button").last().click();
    await page.locator("#code").waitFor();
    problems.push(...(await accessible(page)));
    await page.locator("#code").fill("000000");
    await page.locator("main > button").last().click();
    await page.locator("[role=alert]").waitFor();
    const came = await until(page, () => existsSync(told.code));
    await page.locator("#code").fill(readFileSync(told.code, "utf8"));
    await page.locator("main > button").last().click();
    await page.locator(".notice.wait:not([role=alert]) button").waitFor();
    const bar = await page.locator(".notice.wait").first().textContent();
    await page.locator(".notice.wait button").first().click();
    await page.locator("main > a.button").waitFor();
    await context.close();
    return { came, bar, problems };
  },
});
