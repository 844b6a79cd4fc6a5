// A terminal that people use in turn: each journey tells what was seen, the test judges.

import { ask, browser, perform, until } from "./journey.mjs";
import { decide, letIn, shownCode, terminal } from "./terminal.mjs";
import { told, visitor } from "./visitor.mjs";

const phones = {};
/** The phone of somebody, on which they stay signed in at identity from turn to turn. */
async function phoneOf(name) {
  phones[name] ??= (await visitor(browser)).page;
  return phones[name];
}
const enter = async (page, name) => letIn(page, await phoneOf(name), told.people[name]);
const out = (page) => page.locator(".foot button.button").last();

/** Notes what the terminal asks for, and the tokens that it was given. */
function asked(page) {
  const seen = { requests: new Set(), access: "", refresh: "" };
  page.on("request", (request) => seen.requests.add(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on("response", async (response) => {
    if (!response.url().endsWith("/oauth2/token") || !response.ok()) return;
    const { access_token, refresh_token } = await response.json().catch(() => ({}));
    Object.assign(seen, access_token && { access: access_token }, refresh_token && { refresh: refresh_token });
  });
  return seen;
}

/** Whether nothing that the terminal held opens anything any more; the services hear of it soon. */
async function spent(page, { access, refresh }) {
  const answer = await ask("/oauth2/token", { client_id: "kiosk", grant_type: "refresh_token", refresh_token: refresh });
  const me = () => fetch(`${told.url}/v1/me`, { headers: { Authorization: `Bearer ${access}` } });
  return (await answer.json()).error === "invalid_grant" && access !== "" && (await until(page, async () => (await me()).status === 401));
}

/** What a browser still has of whoever stood there. */
async function leftBehind(page, context) {
  const kept = await page.evaluate(async () => ({
    stores: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    storage: localStorage.length + sessionStorage.length,
    history: history.length,
    state: history.state,
  }));
  return { ...kept, cookies: (await context.cookies()).length };
}

await perform({
  async "somebody is let in by their phone, does two things, leaves, and nothing stays"() {
    const { page, context, problems } = await terminal(browser, { place: "石桥村村委会" });
    const seen = asked(page);
    const before = await leftBehind(page, context);
    const code = await shownCode(page);
    await enter(page, "away");
    const tiles = await page.locator(".tile").count();
    await page.locator(".tile").first().click();
    const pushed = page.waitForResponse((response) => response.url().endsWith("/v1/sync/push"));
    await page.getByRole("button", { name: "我会参加" }).first().click();
    await pushed;
    await page.locator(".outbox-bar").waitFor({ state: "detached" });
    await page.locator(".foot a").click();
    await page.locator(".tile").nth(3).click();
    await page.locator(".choice", { hasText: "道路" }).click();
    await page.locator(".choice").first().click();
    await page.locator("textarea").fill("村口的桥栏杆松了。");
    await page.locator("main > button").click();
    await page.locator("main > button").click();
    await page.locator("main .tag").first().waitFor();
    const during = { ...(await leftBehind(page, context)), at: new URL(page.url()).pathname };
    const words = await page.locator("main").textContent();
    const cleared = page.waitForResponse((response) => response.url().endsWith("/kiosk/out"));
    await out(page).click();
    await page.locator(".code b").waitFor();
    const next = await shownCode(page);
    const clears = (await (await cleared).allHeaders())["clear-site-data"];
    const after = await leftBehind(page, context);
    const shown = await page.content();
    const opens = !(await spent(page, seen));
    await page.goBack();
    const back = page.url();
    await context.close();
    return {
      tiles, before, during, after, back, opens, problems, told: words.includes("栏杆"), again: next === code, shown: shown.includes("栏杆"),
      clears, requests: [...seen.requests].sort(),
    };
  },

  async "whoever goes away is asked after 90 seconds, and signed out after 30 more"() {
    const { page, context, problems } = await terminal(browser);
    const seen = asked(page);
    await enter(page, "away");
    const dialog = page.locator("dialog");
    await page.clock.fastForward(60_000);
    await page.clock.runFor(2_000);
    const early = await dialog.count();
    await page.evaluate(() => dispatchEvent(new Event("scroll"))); // of a page that grew: nobody did that
    await page.clock.fastForward(31_000);
    await dialog.waitFor({ timeout: 15_000 }); // by the clock it is there, and not when those 90 seconds have passed anew
    await dialog.locator("button").first().click();
    await dialog.waitFor({ state: "detached" });
    const stays = await page.locator(".tile").count();
    const before = seen.refresh;
    for (let minutes = 0; minutes < 4; minutes++) {
      await page.keyboard.press("Shift");
      await page.clock.fastForward(60_000);
    }
    const renewed = await until(page, () => seen.refresh !== before);
    await page.keyboard.press("Shift");
    await page.clock.fastForward(91_000);
    const said = await dialog.textContent();
    await page.clock.runFor(6_000);
    const still = await dialog.count();
    await page.clock.fastForward(31_000);
    await page.locator(".code b").waitFor();
    const opens = !(await spent(page, seen));
    await context.close();
    return { early, stays, renewed, said, still, opens, problems };
  },

  async "a code that ends is followed by another, and without a network that is said"() {
    const { page, context, problems } = await terminal(browser);
    const codes = [await shownCode(page)];
    const other = () => until(page, async () => !codes.includes(await shownCode(page).catch(() => codes[0])));
    await page.clock.fastForward(601_000);
    const followed = await other();
    codes.push(await shownCode(page));
    await decide(await phoneOf("away"), codes[1], told.people.away, "deny");
    await page.clock.fastForward(6_000);
    const denied = await page.locator("[role=alert]").textContent();
    await other();
    await context.setOffline(true);
    await page.clock.fastForward(6_000);
    await page.locator("h1", { hasText: "现在办不了" }).waitFor();
    const offline = await page.locator("main").textContent();
    await context.setOffline(false);
    await page.clock.fastForward(6_000);
    await page.locator(".code b").waitFor();
    await context.close();
    return { followed, denied, offline, problems };
  },

  async "who leaves without a network is asked, is seen by nobody, and signed out once there is one"() {
    const { page, context, problems } = await terminal(browser);
    const seen = asked(page);
    await enter(page, "away");
    await page.locator(".tile").nth(2).click();
    await page.locator(".list-row").first().click();
    await page.locator("main > .button").click();
    await page.locator("article button").first().waitFor();
    await context.setOffline(true);
    await page.locator("article button").first().click();
    await page.locator(".done").waitFor();
    const waits = await page.locator(".outbox-bar").textContent();
    await out(page).click();
    const warned = await page.locator("dialog").textContent();
    await page.locator("dialog button").last().click();
    await page.locator("h1", { hasText: "现在办不了" }).waitFor();
    const shown = await page.locator("#app").textContent();
    await context.setOffline(false);
    await page.clock.fastForward(6_000);
    await page.locator(".code b").waitFor();
    const opens = !(await spent(page, seen));
    await context.close();
    return { waits, warned, shown, opens, problems };
  },

  async "pages for one's own phone are shown as a code, and who comes back to the page finds nothing"() {
    const { page, context, problems } = await terminal(browser);
    const seen = asked(page);
    await enter(page, "away");
    await page.locator(".tile").nth(5).click();
    await page.locator("a[href='/sign-in']").click();
    await page.locator("dialog .qr").waitFor();
    const stays = new URL(page.url()).pathname;
    await page.locator("dialog button").click();
    await page.goto("about:blank");
    await page.goBack();
    await page.locator(".code b").waitFor();
    const tiles = await page.locator(".tile").count();
    const opens = !(await spent(page, seen));
    await context.close();
    return { stays, tiles, opens, problems };
  },
});
