// What people do with the portal and what happens to phones: each journey tells what was seen, the test judges.

import { existsSync, readFileSync } from "node:fs";
import { accessible } from "./looking.mjs";
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

/** What is pressed on a page, counted: who ticks a row presses once. */
function tapping(page) {
  const tap = (locator) => { tap.count++; return locator.click(); };
  tap.count = 0;
  return tap;
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

  async "a case is answered in three taps, and what was written survives the page"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await page.goto(`${told.url}/app/branch`);
    const tap = tapping(page);
    await tap(page.locator(`a[href$="/branch/cases/${told.here.case_id}"]`));
    await tap(page.locator("textarea"));
    await page.locator("textarea").fill("明天就去修。");
    await page.waitForTimeout(300); // it is written down
    await page.reload();
    await page.locator("textarea").waitFor();
    await page.waitForTimeout(300);
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
    await page.reload();
    await rows.first().waitFor();
    await page.waitForTimeout(300);
    const kept = await page.locator(".tick input:checked").count();
    await tap(page.locator("main .row.apart button"));
    await page.locator("main .notice a").waitFor();
    const [waiting] = await ops(page);
    const again = await page.locator(".tick input:not(:disabled)").count();
    const clear = await page.evaluate(async () => {
      const names = [...document.querySelectorAll(".tick span:first-of-type")].map((each) => each.textContent);
      const database = await new Promise((resolve) => {
        const opening = indexedDB.open(`xq-${localStorage.getItem("xq-person")}`);
        opening.onsuccess = () => resolve(opening.result);
      });
      const stored = [];
      for (const store of database.objectStoreNames) {
        await new Promise((resolve) => {
          const reading = database.transaction(store).objectStore(store).getAll();
          reading.onsuccess = () => resolve(stored.push(...reading.result));
        });
      }
      const key = stored.find((each) => each instanceof CryptoKey);
      const exported = await crypto.subtle.exportKey("raw", key).then(() => "exported", () => "refused");
      database.close();
      return { exported, seen: names.filter((name) => JSON.stringify(stored).includes(name)).length };
    });
    await context.setOffline(false);
    const sent = await until(page, async () => (await ops(page)).every(({ state }) => state === "sent"));
    await context.close();
    return { taps: tap.count, people, kept, again, state: waiting.state, sent, clear, problems };
  },

  async "a file opens once it is said what for, and nothing of it stays"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    const asked = [];
    page.on("request", (request) => request.url().includes(`/v1/members/${told.here.person_id}`) && asked.push(new URL(request.url()).search));
    await page.goto(`${told.url}/app/branch/members`);
    const names = await page.locator(".list-row b").allTextContents().then((all) => all.length > 0 ? all : page.locator(".list-row b").first().waitFor().then(() => page.locator(".list-row b").allTextContents()));
    await page.locator(`a[href$="${told.here.person_id}"]`).click();
    await page.locator(".choices").waitFor();
    const before = asked.length;
    await page.locator("main > button").last().click();
    await page.locator("dl").waitFor();
    const [name, phone, id] = await page.locator("dd").allTextContents();
    const stored = await page.evaluate(async () => {
      const database = await new Promise((resolve) => {
        const opening = indexedDB.open(`xq-${localStorage.getItem("xq-person")}`);
        opening.onsuccess = () => resolve(opening.result);
      });
      const all = await new Promise((resolve) => {
        const reading = database.transaction("subject").objectStore("subject").getAll();
        reading.onsuccess = () => resolve(JSON.stringify(reading.result));
      });
      database.close();
      return all;
    });
    await context.close();
    return { masked: names.every((each) => each.includes("*")), before, asked, clear: /^\d{11}$/.test(phone), id: id.includes("*"), stays: stored.includes(phone) || stored.includes(name), problems };
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
};

try {
  for (const [name, journey] of Object.entries(JOURNEYS)) {
    if (told.only && !name.includes(told.only)) continue;
    say({ journey: name, ...(await journey().catch((error) => ({ failed: error.message.split("\n").slice(0, 3).join(" ") }))) });
  }
} finally {
  await browser.close();
}
