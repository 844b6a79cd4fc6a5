// What people do with the portal and what happens to phones: each journey tells what was seen, the test judges.

import { stat } from "node:fs/promises";
import { inStore, launched, say, signIn, told, visitor } from "./visitor.mjs";

const browser = await launched();
const home = (page) => page.goto(`${told.url}/app/`).then(() => page.locator("#app h1").waitFor());

/** Reads what is kept of the sign-in, as a script on the page could. */
function kept(page) {
  return page.evaluate(async () => {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open("xq-session");
      opening.onsuccess = () => resolve(opening.result);
    });
    const session = await new Promise((resolve) => {
      const reading = database.transaction("kept").objectStore("kept").get("now");
      reading.onsuccess = () => resolve(reading.result);
    });
    database.close();
    if (session === undefined) return null;
    const exported = await crypto.subtle.exportKey("jwk", session.keys.privateKey).then(() => "exported", () => "refused");
    return { refresh: session.refreshToken, exported };
  });
}

/** Makes the refresh token one that the system does not know, as it is after thirty days. */
function forgetTheirToken(page) {
  return page.evaluate(async () => {
    const database = await new Promise((resolve) => {
      const opening = indexedDB.open("xq-session");
      opening.onsuccess = () => resolve(opening.result);
    });
    const store = database.transaction("kept", "readwrite").objectStore("kept");
    const session = await new Promise((resolve) => {
      const reading = store.get("now");
      reading.onsuccess = () => resolve(reading.result);
    });
    store.put({ ...session, refreshToken: "ended" }, "now");
    await new Promise((resolve) => { store.transaction.oncomplete = resolve; });
    database.close();
  });
}

const ask = (path, form) => fetch(`${told.url}${path}`, { method: "POST", body: new URLSearchParams({ client_id: "portal", ...form }) });

/** Counts what is sent to the outbox's door: envelopes, and ids of acts. */
function pushes(page) {
  const ids = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/sync/push")) ids.push(request);
  });
  return ids;
}

const ops = (page) => page.evaluate(async () => {
  const database = await new Promise((resolve) => {
    const opening = indexedDB.open(`xq-${localStorage.getItem("xq-person")}`);
    opening.onsuccess = () => resolve(opening.result);
  });
  const all = await new Promise((resolve) => {
    const reading = database.transaction("outbox").objectStore("outbox").getAll();
    reading.onsuccess = () => resolve(reading.result);
  });
  database.close();
  return all.map(({ op_id, state, subject_id }) => ({ op_id, state, subject_id }));
});

/** Gives the token with which the page asks next. */
async function tokenOf(page) {
  const asking = page.waitForRequest((request) => request.url().includes("/v1/home"));
  await page.reload();
  return (await asking).headers().authorization;
}

async function until(page, condition) {
  for (let tries = 0; tries < 100; tries++) {
    if (await condition()) return true;
    await page.waitForTimeout(100);
  }
  return false;
}

/** Taps as a person does, and counts. */
function tapping(page) {
  let count = 0;
  const tap = async (what) => {
    await page.locator(what).first().click();
    count++;
    await page.waitForTimeout(200);
  };
  return { tap, count: () => count };
}

const JOURNEYS = {
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
    const left = await until(page, async () => (await ops(page)).every(({ state }) => state === "sent"));
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
    const sent = await until(page, async () => (await ops(page)).every(({ state }) => state === "sent"));
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
    await here.page.waitForTimeout(2_000); // it listens by then
    const asked = [];
    here.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await inStore(there.page, "outbox", [{ ...act, body: { category: "roads", organisation_id, text: "村口的路灯坏了" } }]);
    await there.page.reload();
    const shown = await until(here.page, async () => (await count()) > before);
    await here.context.close();
    await there.context.close();
    return { shown, asked: [...new Set(asked)].sort(), problems: [...here.problems, ...there.problems] };
  },

  async "somebody reports something in six taps without a network, and it is sent once"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.villager);
    await page.evaluate(() => navigator.serviceWorker.ready);
    const known = page.waitForResponse((answer) => answer.url().includes("/v1/responsibilities?organisation_id="));
    await page.goto(`${told.url}/app/cases`); // once with a network: who answers from there is on the phone then
    await known;
    await page.waitForTimeout(500);
    await home(page);
    await page.locator("article").first().waitFor();
    await context.setOffline(true);
    const taps = tapping(page);
    await taps.tap("nav a[href$='/cases']");
    await taps.tap("main a[href$='/cases/new']");
    await taps.tap(".choice >> text=道路");
    await taps.tap(".choice");
    await page.keyboard.type("村口到小学的路灯又坏了一盏。");
    await page.waitForTimeout(300);
    await page.reload(); // a call came, and the page is gone: the words are not
    const words = await page.locator("textarea").inputValue();
    await taps.tap("main > button");
    const promised = await page.locator(".facts").textContent();
    await taps.tap("main > button");
    const said = await page.locator(".notice").textContent();
    await page.goto(`${told.url}/app/cases/new`);
    const forgotten = (await page.locator(".choice[aria-pressed=true]").count()) === 0;
    const [waiting] = await ops(page);
    const sent = pushes(page);
    await context.setOffline(false);
    const settled = await until(page, async () => (await ops(page)).every(({ state }) => state === "sent"));
    await page.goto(`${told.url}/app/cases/${waiting.subject_id}`);
    const deadline = await page.locator("main .tag").nth(1).textContent();
    await context.close();
    return { taps: taps.count(), words, promised, said, forgotten, state: waiting.state, settled, envelopes: sent.length, deadline, problems, subject: waiting.subject_id };
  },

  async "an answer is read and confirmed in two taps"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.away);
    const taps = tapping(page);
    await taps.tap("article:has-text('道路') a.plain");
    const answer = await page.locator(".card.due .said").textContent();
    await taps.tap("main > button.button:not(.second)");
    const [{ subject_id }] = await ops(page);
    const sent = await until(page, async () => (await ops(page)).every(({ state }) => state === "sent"));
    const closed = await until(page, async () => (await page.locator("main .tag").first().textContent()) === "办结了");
    await context.close();
    return { taps: taps.count(), answer, sent, closed, problems, subject: subject_id };
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
    await until(there.page, async () => (await ops(there.page)).every(({ state }) => state === "sent"));
    await here.context.setOffline(false);
    const both = await here.page.locator(".card.due .facts").textContent();
    await here.page.locator(".card.due button").first().click();
    const sent = await until(here.page, async () => (await ops(here.page)).every(({ state }) => state === "sent"));
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
    const kept = await page.evaluate(async () => {
      const database = await new Promise((resolve) => {
        const opening = indexedDB.open(`xq-${localStorage.getItem("xq-person")}`);
        opening.onsuccess = () => resolve(opening.result);
      });
      const reading = database.transaction("subject").objectStore("subject").getAll();
      const all = await new Promise((resolve) => { reading.onsuccess = () => resolve(reading.result); });
      database.close();
      return { file: all.find(({ id }) => id === "/v1/members/me")?.data, numbers: /\d{17}/.test(JSON.stringify(all)) };
    });
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
    await page.locator(".card button").waitFor({ timeout: 60_000 });
    const fetching = page.waitForEvent("download");
    await page.locator(".card button").click();
    const file = await fetching;
    const size = (await stat(await file.path())).size;
    await context.close();
    return { name: file.suggestedFilename(), size, problems };
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
};

try {
  for (const [name, journey] of Object.entries(JOURNEYS)) {
    if (told.only && !told.only.split(",").some((each) => name.includes(each))) continue;
    say({ journey: name, ...(await journey().catch((error) => ({ failed: error.message.split("\n").slice(0, 3).join(" ") }))) });
  }
} finally {
  await browser.close();
}
