// What people report, and what is kept of themselves: each journey tells what was seen, the test judges.

import { stat } from "node:fs/promises";
import { allSent, browser, home, ops, perform, pushes, stored, tapping, until } from "./journey.mjs";
import { signIn, told, visitor } from "./visitor.mjs";

const WORDS = "村口到小学的路灯又坏了一盏。";

await perform({
  async "somebody reports something in six taps without a network, and it is sent once"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.villager);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.goto(`${told.url}/app/cases`); // once with a network: who answers from there is on the phone then
    await until(page, async () => (await stored(page, "subject")).some(({ id }) => id.startsWith("/v1/responsibilities?organisation_id=")));
    await home(page);
    await page.locator("article").first().waitFor();
    await context.setOffline(true);
    const tap = tapping(page);
    await tap("nav a[href$='/cases']");
    await tap("main a[href$='/cases/new']");
    await tap(".choice >> text=道路");
    await page.waitForURL("**/cases/new/where");
    await tap(".choice");
    await page.locator("textarea:focus").waitFor();
    await page.keyboard.type(WORDS);
    await until(page, async () => (await stored(page, "meta", "draft report"))?.text === WORDS);
    await page.reload(); // a call came, and the page is gone: the words are not
    const words = await page.locator("textarea").inputValue();
    await tap("main > button");
    await page.waitForURL("**/cases/new/check");
    await page.locator(".facts", { hasText: "工作日" }).waitFor();
    const promised = await page.locator(".facts").textContent();
    await tap("main > button");
    const said = await page.locator(".notice", { hasText: "手机" }).first().textContent();
    await page.goto(`${told.url}/app/cases/new`);
    const forgotten = (await page.locator(".choice[aria-pressed=true]").count()) === 0;
    const [waiting] = await ops(page);
    const sent = pushes(page);
    await context.setOffline(false);
    const settled = await allSent(page);
    await page.goto(`${told.url}/app/cases/${waiting.subject_id}`);
    const deadline = await page.locator("main .tag").nth(1).textContent();
    await context.close();
    return { taps: tap.count, words, promised, said, forgotten, state: waiting.state, settled, envelopes: sent.length, deadline, problems, subject: waiting.subject_id };
  },

  async "an answer is read and confirmed in two taps"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    const tap = tapping(page);
    await tap("article:has-text('道路') a.plain");
    const answer = await page.locator(".card.due .said").textContent();
    await tap("main > button.button:not(.second)");
    await until(page, async () => (await ops(page)).length > 0);
    const [{ subject_id }] = await ops(page);
    const sent = await allSent(page);
    const closed = await until(page, async () => (await page.locator("main .tag").first().textContent()) === "办结了");
    await context.close();
    return { taps: tap.count, answer, sent, closed, problems, subject: subject_id };
  },

  async "a phone number that was changed in two places is chosen by its owner"() {
    const here = await visitor(browser);
    const there = await visitor(browser);
    for (const { page } of [here, there]) {
      await signIn(page, told.people.member);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.goto(`${told.url}/app/me/file/edit`);
      await page.locator("#phone").waitFor();
    }
    const change = async ({ page }, number) => {
      await page.locator("#phone").fill(number);
      await page.locator("form button").click();
      await page.locator(".facts").waitFor();
    };
    await here.context.setOffline(true);
    await change(here, "139 0013 9001");
    const said = await here.page.locator(".notice", { hasText: "手机号" }).textContent();
    await change(there, "13900139002");
    await allSent(there.page);
    await here.context.setOffline(false);
    const both = await here.page.locator(".card.due .facts").textContent();
    await here.page.locator(".card.due button").first().click();
    const sent = await until(here.page, async () => {
      const all = await ops(here.page); // none between the one that is given up and the one that takes its place
      return all.length > 0 && all.every(({ state }) => state === "sent");
    });
    await here.context.close();
    await there.context.close();
    return { said, both, sent, problems: [...here.problems, ...there.problems] };
  },

  async "a file is seen in clear by who proved who they are, and kept covered"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary); // with two factors
    await page.goto(`${told.url}/app/me/file`);
    await page.locator(".facts").waitFor();
    const clear = await until(page, async () => /\d{17}/.test(await page.locator(".facts").textContent()));
    const all = await stored(page, "subject");
    const kept = { file: all.find(({ id }) => id === "/v1/members/me")?.data, numbers: /\d{17}/.test(JSON.stringify(all)) };
    await context.close();
    const other = await visitor(browser);
    await signIn(other.page, told.people.away); // with one
    await other.page.goto(`${told.url}/app/me/file`);
    const masked = await other.page.locator(".facts").textContent();
    await other.page.locator(".notice button").click();
    await other.page.locator(".notice [role=alert]").waitFor(); // they have no second way yet, are told so, and are back
    const back = { at: new URL(other.page.url()).pathname, says: await other.page.locator(".notice [role=alert]").textContent() };
    await other.context.close();
    return { clear, kept: kept.file?.id_number, numbers: kept.numbers, masked: /\d{6}/.test(masked), unproven: back, problems: [...problems, ...other.problems] };
  },

  async "whoever opens a file is seen by its owner, with what for and when"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    await page.locator("nav a[href$='/me']").click();
    await page.locator("a[href$='/me/access-log']").click();
    await page.locator("main .card", { hasText: "支部书记" }).first().waitFor();
    const text = await page.locator("main").textContent();
    await context.close();
    return { text, problems };
  },

  async "whoever would help is stopped by the person"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    await page.goto(`${told.url}/app/me/helpers`);
    await page.locator(".card.due", { hasText: "反映问题" }).waitFor();
    const asked = await page.locator(".card.due").textContent();
    await page.locator(".card.due button").click();
    const ended = await until(page, async () => (await page.locator(".card.due").count()) === 0 && (await page.locator(".card").count()) > 0);
    await context.close();
    return { asked, ended, problems };
  },

  async "all that is known of somebody is gathered and fetched"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/me/export`);
    await page.locator("main > button").click();
    await page.locator(".card button").waitFor();
    const fetching = page.waitForEvent("download");
    await page.locator(".card button").click();
    const file = await fetching;
    const size = (await stat(await file.path())).size;
    await context.close();
    return { name: file.suggestedFilename(), size, problems };
  },
});
