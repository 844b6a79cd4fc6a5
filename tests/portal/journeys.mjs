// What people do with the portal and what happens to phones: each journey tells what was seen, the test judges.

import { allSent, ask, browser, forgetTheirToken, home, kept, ops, perform, pushes, tokenOf, until } from "./journey.mjs";
import { inStore, signIn, told, visitor } from "./visitor.mjs";

await perform({
  async "the sign-in is bound to a key that nobody can take"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.member);
    const session = await kept(page);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    const unproven = await ask("/oauth2/token", { grant_type: "refresh_token", refresh_token: session.refresh });
    await page.reload();
    await page.locator("article").first().waitFor();
    const addresses = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
    const origins = [...new Set(addresses.map((address) => new URL(address).origin))];
    await context.close();
    return {
      exported: session.exported, tokens: /ey[JK]|refresh/.test(stored), unproven: (await unproven.json()).error,
      address: new URL(page.url()).pathname, origins: origins.length, problems,
    };
  },

  async "what is done without a network is kept, survives the page, and is sent once"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.member);
    await page.locator("article button.button").first().waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await page.locator("article button.button").first().waitFor();
    await context.setOffline(true);
    await page.locator("article button.button").first().click();
    await page.locator("article .done").waitFor();
    const said = await page.locator("article .done").textContent();
    await page.reload();
    await page.locator("article .done").waitFor();
    const [waiting] = await ops(page);
    const sent = pushes(page);
    await context.setOffline(false);
    const left = await allSent(page);
    const caches = await page.evaluate(async () => {
      const found = [];
      for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
      return found;
    });
    await context.close();
    return { said, state: waiting.state, sent: left, envelopes: sent.length, cached: caches.filter((path) => !path.startsWith("/app/")), problems, subject: waiting.subject_id };
  },

  async "an ended sign-in hides nothing and asks once there is something to send"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    await page.locator("article button.button").first().waitFor();
    await forgetTheirToken(page);
    await page.reload();
    await page.locator("article button.button").first().waitFor();
    await page.locator("[role=alert]").waitFor();
    const cards = await page.locator("article").count();
    await page.locator("article button.button").first().click();
    await page.locator("article .done").waitFor();
    const [waiting] = await ops(page);
    await page.locator("[role=alert] button").click(); // identity's own session is still there
    await page.waitForURL(/\/app\/$/);
    await page.locator("#app h1").waitFor();
    const sent = await allSent(page);
    await context.close();
    return { cards: cards > 0, state: waiting.state, sent, problems };
  },

  async "another person on the same phone neither sees nor sends what is the first one's"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.villager);
    const op_id = "01930000-0000-7000-8000-0000000000ff";
    const act = { op_id, subject_id: op_id, kind: "case.confirm", acted_at: new Date().toISOString(), body: {}, about: "村口的路灯", state: "waiting" };
    const beside = await context.newPage();
    await home(beside);
    await page.route("**/v1/sync/push", (route) => route.abort());
    await inStore(page, "outbox", [act]);
    await page.goto(`${told.url}/app/me`);
    await page.locator("main > button").last().click();
    await page.locator("dialog button").nth(1).click();
    await page.locator("[data-sign-in]").waitFor();
    const left = await until(page, () => beside.locator("[data-sign-in]").isVisible());
    await beside.close();
    await page.unroute("**/v1/sync/push");
    const sent = pushes(page);
    await signIn(page, told.people.member);
    await page.locator("article").first().waitFor();
    const text = await page.locator("#app").textContent();
    const others = { left, envelopes: sent.length, seen: text.includes("村口的路灯"), ops: (await ops(page)).filter((op) => op.op_id === op_id).length };
    await page.goto(`${told.url}/app/me`);
    await page.locator("main > button").last().click();
    await page.locator("dialog button").first().click();
    await page.locator("[data-sign-in]").waitFor();
    await signIn(page, told.people.villager);
    const settled = await until(page, async () => (await ops(page)).some((op) => op.op_id === op_id && op.state === "refused"));
    await context.close();
    return { ...others, settled, problems }; // there is no such case, so it is refused, and stays with its reason
  },

  async "signing out forgets what was told, here and at identity"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.member);
    await page.locator("article").first().waitFor();
    const revoked = page.waitForResponse((response) => response.url().endsWith("/oauth2/revoke"));
    const before = await kept(page);
    const person = await page.evaluate(() => localStorage.getItem("xq-person"));
    await page.goto(`${told.url}/app/me`);
    await page.locator("main > button").last().click();
    await page.locator("dialog button").first().click();
    await page.locator("[data-sign-in]").waitFor();
    const subjects = await page.evaluate(async (name) => {
      const database = await new Promise((resolve) => {
        const opening = indexedDB.open(`xq-${name}`);
        opening.onsuccess = () => resolve(opening.result);
      });
      const count = await new Promise((resolve) => {
        const counting = database.transaction("subject").objectStore("subject").count();
        counting.onsuccess = () => resolve(counting.result);
      });
      database.close();
      return count;
    }, person);
    const after = await kept(page);
    const revoking = (await revoked).status();
    await page.locator("[data-sign-in]").click();
    await page.locator("input[name=password]").waitFor();
    const spent = await ask("/oauth2/token", { grant_type: "refresh_token", refresh_token: before.refresh });
    await context.close();
    return { subjects, after, revoking, spent: (await spent.json()).error, problems };
  },

  async "what is done on one phone is soon on the home of another"() {
    const here = await visitor(browser);
    const there = await visitor(browser);
    const listening = here.page.waitForResponse((answer) => answer.url().endsWith("/v1/events"));
    await signIn(here.page, told.people.villager);
    await signIn(there.page, told.people.villager);
    await here.page.locator("article").first().waitFor();
    await there.page.locator("article").first().waitFor();
    const count = () => here.page.locator("article").count();
    const before = await count();
    const organisation_id = await there.page.evaluate(async (token) => {
      const answer = await fetch("/v1/home?section=waiting", { headers: { Authorization: token } });
      return (await answer.json()).items[0].organisation_id;
    }, await tokenOf(there.page));
    const op_id = `01930000-0000-7000-8000-${String(Date.now()).slice(-12).padStart(12, "0")}`;
    const act = { op_id, subject_id: op_id, kind: "case.open", acted_at: new Date().toISOString(), about: "路灯", state: "waiting" };
    await listening;
    const asked = [];
    here.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await inStore(there.page, "outbox", [{ ...act, body: { category: "roads", organisation_id, text: "村口的路灯坏了" } }]);
    await there.page.reload();
    const shown = await until(here.page, async () => (await count()) > before);
    await here.context.close();
    await there.context.close();
    return { shown, asked: [...new Set(asked)].sort(), problems: [...here.problems, ...there.problems] };
  },

  async "a phone whose clock is an hour wrong signs in and acts all the same"() {
    const { page, context, problems } = await visitor(browser);
    await page.clock.install({ time: Date.now() + 3_600_000 });
    await signIn(page, told.people.away);
    await page.locator("article button.button").last().click();
    await until(page, async () => (await ops(page)).every(({ state }) => state !== "waiting" && state !== "sending"));
    const [{ state }] = await ops(page);
    await context.close();
    return { state, problems };
  },
});
