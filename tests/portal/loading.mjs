// How long the portal takes until it can be used; `open` says which opening: "entry", "all" or "second".

import { launched, say, told, visitor } from "./visitor.mjs";

const browser = await launched();

/** Opens an address and gives the seconds until something is seen there, by the page's own clock. */
async function until(page, address, seen) {
  await page.goto(address, { waitUntil: "commit" });
  await page.locator(`${seen}:visible`).first().waitFor({ timeout: 120_000 });
  return page.evaluate(() => seenAt / 1000);
}

function watched(seen) {
  const look = () => {
    if (document.querySelector(seen)?.checkVisibility()) window.seenAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const { context, page } = await visitor(browser);
try {
  if (told.open !== "entry") {
    await context.addInitScript(() => localStorage.setItem("xq-person", "00000000-0000-7000-8000-000000000001"));
  }
  const shown = told.open === "entry" ? "[data-sign-in]" : "#app h1";
  await context.addInitScript(watched, told.open === "entry" ? shown : "#app h1, body:not(:has(#app)) h1");
  if (told.open !== "second") {
    say([await until(page, `${told.url}/app/`, shown)]);
  } else {
    await until(page, `${told.url}/app/`, shown);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await until(page, `${told.url}/app/`, shown);
    const rounds = [];
    for (let round = 0; round < told.rounds; round += 1) {
      const [portal, empty] = [await context.newPage(), await context.newPage()];
      const bare = await until(empty, `${told.url}/problems/not_found`, "h1");
      await context.setOffline(true);
      await portal.bringToFront();
      rounds.push([await until(portal, `${told.url}/app/`, shown), bare]);
      await context.setOffline(false);
      await Promise.all([portal.close(), empty.close()]);
    }
    say(rounds);
  }
} finally {
  await browser.close();
}
