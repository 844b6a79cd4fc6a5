// Meetings and lessons: from the code on the wall to being checked in, and from a course to having understood it.

import { allSent, browser, perform, tapping } from "./journey.mjs";
import { signIn, told, visitor, withVoice } from "./visitor.mjs";

const checkInAt = (meeting) => `${told.url}/app/activities/${told.meetings[meeting]}/check-in`;

const ready = (page) => page.evaluate(() => navigator.serviceWorker.ready);
const done = (page) => page.locator(".done").first();

await perform({
  async "who scans the code signed out is led back and checked in"() {
    const { page, context, problems } = await visitor(browser);
    const tap = tapping(page);
    await page.goto(checkInAt("now"));
    await tap(page.locator("[data-sign-in]"));
    await page.locator("input[name=username]").fill(told.people.member);
    await page.locator("input[name=password]").fill(told.password);
    await page.locator("main form button").first().click();
    await page.locator("article .button").first().waitFor();
    const address = new URL(page.url()).pathname;
    await tap(page.locator("article .button").first());
    await done(page).waitFor();
    await allSent(page);
    await context.close();
    return { taps: tap.count, back: address === new URL(checkInAt("now")).pathname, problems };
  },

  async "a sign-in that is broken off leads back all the same"() {
    const { page, context, problems } = await visitor(browser);
    await page.goto(checkInAt("now"));
    await page.locator("[data-sign-in]").click();
    await page.locator("input[name=username]").waitFor();
    await page.goto(`${told.url}/app/signed-in?error=access_denied&state=other`);
    await page.waitForURL(/check-in/);
    const said = await page.locator("[data-trouble]").isVisible();
    await context.close();
    return { said, problems };
  },

  async "who is signed in checks in by one tap"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    const scanned = await context.newPage(); // as the scanner opens it
    const tap = tapping(scanned);
    await scanned.goto(checkInAt("now"));
    await tap(scanned.locator("article .button").first());
    await done(scanned).waitFor();
    await allSent(scanned);
    await scanned.reload();
    const said = await done(scanned).textContent();
    await context.close();
    return { taps: tap.count, said, problems };
  },

  async "without a network a meeting that the phone does not know is checked in to"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    await ready(page);
    await context.setOffline(true);
    await page.goto(checkInAt("next")); // the first page that the worker gives
    const from = new Date().toISOString();
    await page.locator("main > .button").first().click();
    const said = await done(page).textContent();
    const until = new Date().toISOString();
    await context.setOffline(false);
    await allSent(page);
    await context.close();
    return { said, from, until, problems };
  },

  async "after the meeting its end and the paper list are said, and one can still check in"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.member);
    await page.goto(checkInAt("over"));
    await page.locator("article .button").first().waitFor();
    const said = await page.locator("article").textContent();
    await page.locator("article .button").first().click();
    await done(page).waitFor();
    await allSent(page);
    await page.goto(checkInAt("long over"));
    await page.locator("article .notice").waitFor();
    const late = await page.locator("article").textContent();
    const buttons = await page.locator("article .button").count();
    await context.close();
    return { said, late, buttons, problems };
  },

  async "a course is kept, read aloud and understood without a network"() {
    const { page, context, problems } = await visitor(browser);
    await withVoice(page);
    await signIn(page, told.people.member);
    await ready(page);
    await page.reload();
    await page.locator("nav a").nth(1).click();
    await page.locator(".list-row").first().click();
    await page.getByText("存到手机上").click();
    await done(page).waitFor();
    await context.setOffline(true);
    await page.locator(".list-row").nth(1).click();
    await page.locator(".prose").waitFor();
    const body = await page.locator(".prose").textContent();
    await page.getByText("念给我听").click();
    const spoken = await page.evaluate(() => window.spoken.map(({ text, lang }) => ({ text, lang })));
    await page.getByText("先不念了").click();
    const lesson = new URL(page.url()).pathname.split("/").pop();
    await page.getByRole("button", { name: "懂了" }).click();
    const said = await done(page).textContent();
    await context.setOffline(false);
    await allSent(page);
    await context.close();
    const read = spoken.map(({ text }) => text).join("");
    return { read: read.includes(body), sentences: spoken.length, language: spoken[0]?.lang, said, lesson, problems };
  },

  async "who needs help says so, and takes it back once it is clear"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.member);
    await page.goto(`${told.url}/app/courses`);
    await page.locator(".list-row").first().click();
    await page.waitForURL(/courses\/./);
    await page.locator(".list-row").first().click();
    await page.waitForURL(/lessons\/./);
    await page.getByRole("button", { name: "要帮助" }).click();
    await done(page).waitFor();
    await allSent(page);
    await page.reload();
    const asked = await done(page).textContent();
    await page.getByRole("button", { name: "懂了" }).click();
    await page.locator(".done").getByText("懂了").waitFor();
    await allSent(page);
    const lesson = new URL(page.url()).pathname.split("/").pop();
    await context.close();
    return { asked, lesson, problems };
  },
});
