// A new build while a page of the old one is open: it waits, and is taken when the person says so.

import { execFileSync } from "node:child_process";
import { launched, say, signIn, told, visitor } from "./visitor.mjs";

const build = (script) => execFileSync(told.node, [script, told.folder]);
const browser = await launched();
const { page, context, problems } = await visitor(browser);
try {
  await signIn(page, told.people.member);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.locator("article").first().waitFor();
  const old = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.includes("/assets/")));
  build(told.changed);
  await page.evaluate(async () => {
    window.stillHere = true;
    await (await navigator.serviceWorker.getRegistration("/app/")).update();
  });
  await page.locator("text=有新版本了").waitFor();
  await page.waitForTimeout(1_000); // it takes nothing by itself
  const waits = await page.evaluate(() => window.stillHere === true);
  const gone = (await Promise.all(old.map((address) => fetch(address)))).filter(({ ok }) => !ok).length;
  await page.locator("text=换上新版").click();
  await page.locator("nav >> text=我自己").waitFor();
  say({ waits, old: old.length > 3, gone, caches: await page.evaluate(async () => (await caches.keys()).length), problems });
} finally {
  build(told.original);
  await browser.close();
}
