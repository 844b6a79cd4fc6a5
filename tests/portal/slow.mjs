// The main tasks over a line that is slow and is cut again and again: what does not come about is tried until it does.

import { writeFileSync } from "node:fs";
import { browser, ops, perform, stored, until } from "./journey.mjs";
import { signIn, told, visitor } from "./visitor.mjs";

const PATIENCE = 120_000;
let there = 0;

/** Signs in over a line that holds, and looks once at what is stored for where there is none; then the cuts begin. */
async function prepared(username, addresses) {
  const visit = await visitor(browser);
  visit.page.setDefaultTimeout(PATIENCE);
  await signIn(visit.page, username);
  await visit.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  for (const [address, shown] of addresses) {
    await visit.page.goto(`${told.url}/app${address}`);
    await visit.page.locator(shown).first().waitFor();
  }
  if (++there === 2) writeFileSync(told.ready, "");
  await until(visit.page, () => there === 2);
  return visit;
}

/** Opens an address, again and again, until what is looked for is there. */
async function opened(page, address, shown) {
  for (let tries = 0; tries < 30; tries++) {
    await page.goto(`${told.url}/app${address}`);
    const isThere = await page.locator(shown).first().waitFor({ timeout: 15_000 }).then(() => true, () => false);
    if (isThere) return;
  }
  throw new Error(`${address} never came`);
}

/** Sends what waits as a person does who does not wait for the phone to try by itself. */
async function sentAtLast(page) {
  await page.goto(`${told.url}/app/outbox`);
  await page.locator("main h1").waitFor();
  for (let tries = 0; tries < 60; tries++) {
    if ((await ops(page)).every(({ state }) => state === "sent")) return true;
    await page.locator("main > button.button").click({ timeout: 1_000 }).catch(() => {});
    await page.locator("main > button[aria-disabled=true]").waitFor({ state: "detached" }).catch(() => {});
  }
  return false;
}

async function member() {
  const { page, context, problems } = await prepared(told.people.away, [["/cases/new", ".choice"]]);
  await until(page, async () => (await stored(page, "subject")).some(({ id }) => id.startsWith("/v1/responsibilities?organisation_id=")));
  for (const id of told.meetings) {
    await opened(page, `/activities/${id}/check-in`, "article .button, main > .button");
    await page.locator("article .button, main > .button").first().click();
    await page.locator(".done").first().waitFor();
  }
  for (const text of told.reports) {
    await opened(page, "/cases/new", ".choice");
    await page.locator(".choice >> text=道路").click();
    await page.waitForURL("**/cases/new/where");
    await page.locator(".choice").first().click();
    await page.locator("textarea").fill(text);
    await page.locator("main > button").click();
    await page.waitForURL("**/cases/new/check");
    await page.locator("main > button").click();
    await page.waitForURL(/\/cases\/[0-9a-f-]{36}$/);
  }
  for (const id of told.lessons) {
    await opened(page, `/lessons/${id}`, "article .button");
    await page.getByRole("button", { name: "懂了" }).click();
    await page.locator(".done").first().waitFor();
  }
  const sent = await sentAtLast(page);
  await context.close();
  return { sent, problems };
}

async function secretary() {
  const { page, context, problems } = await prepared(told.people.secretary, [["/branch", "article"], [`/branch/activities/${told.sheets[0]}/sheet`, ".tick"]]);
  for (const id of told.cases) {
    await opened(page, `/branch/cases/${id}`, "textarea");
    await page.locator("textarea").fill(told.answer);
    for (let tries = 0; tries < 60 && (await page.locator("textarea").count()); tries++) {
      await page.locator("main > button").last().click({ timeout: 1_000 }).catch(() => {});
      await page.locator("main .notice:not([role=alert])").or(page.locator("main > button[aria-disabled=false]")).first().waitFor();
    }
  }
  for (const id of told.sheets) {
    await opened(page, `/branch/activities/${id}/sheet`, ".tick input:enabled");
    for (let people = 0; people < told.ticks; people++) await page.locator(".tick input:enabled").nth(people).check();
    await page.locator("main .row.apart button").click();
    await page.locator("main .notice a").waitFor();
  }
  const sent = await sentAtLast(page);
  await context.close();
  return { sent, problems };
}

await perform({
  async "two people over one line"() {
    const [one, other] = await Promise.all([member(), secretary()]);
    return { sent: [one.sent, other.sent], problems: [...one.problems, ...other.problems] };
  },
});
