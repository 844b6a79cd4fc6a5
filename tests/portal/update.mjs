// A new build while a page of the old one is open: it waits, and is taken when the person says so.

import { execFileSync } from "node:child_process";
import { launched, say, signIn, told, visitor } from "./visitor.mjs";

const browser = await launched();
const { page, context, problems } = await visitor(browser);
try {
  await signIn(page, told.people.member);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.locator("article").first().waitFor();
  const old = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.includes("/assets/")));
  execFileSync(told.node, [told.changed, told.folder]);
  await page.evaluate(async () => {
    window.stillHere = true;
    await (await navigator.serviceWorker.getRegistration("/app/")).update();
  });
  await page.locator("text=有新版本了").waitFor();
  // It takes nothing by itself: the new worker stays installed, and the page what it was.
  const waits = await page.evaluate(async () => window.stillHere === true && (await navigator.serviceWorker.ready).waiting?.state === "installed");
  const gone = (await Promise.all(old.map((address) => fetch(address)))).filter(({ ok }) => !ok).length;
  await page.locator("text=换上新版").click();
  await page.locator("nav >> text=我自己").waitFor();
  say({ waits, old: old.length > 3, gone, caches: await page.evaluate(async () => (await caches.keys()).length), problems });
} finally {
  await browser.close();
}
