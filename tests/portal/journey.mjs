// What journeys with the portal have in common: how they are performed, and what is read of a phone on the way.

import { launched, say, told } from "./visitor.mjs";

export const browser = await launched();
export const home = (page) => page.goto(`${told.url}/app/`).then(() => page.locator("#app h1").waitFor());

/** Reads a store of the person on the phone, as a script on the page could: what lies at `key`, or all of it. */
export function stored(page, store, key) {
  return page.evaluate(async ([from, at]) => {
    const asked = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    const database = await asked(indexedDB.open(`xq-${localStorage.getItem("xq-person")}`));
    const kept = database.transaction(from).objectStore(from);
    const found = await asked(at === null ? kept.getAll() : kept.get(at));
    database.close();
    return found;
  }, [store, key ?? null]);
}

/** Reads what is kept of the sign-in, as a script on the page could. */
export function kept(page) {
  return page.evaluate(async () => {
    const asked = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    const database = await asked(indexedDB.open("xq-session"));
    const session = await asked(database.transaction("kept").objectStore("kept").get("now"));
    database.close();
    if (session === undefined) return null;
    const exported = await crypto.subtle.exportKey("jwk", session.keys.privateKey).then(() => "exported", () => "refused");
    return { refresh: session.refreshToken, exported };
  });
}

/** Makes the refresh token one that the system does not know, as it is after thirty days. */
export function forgetTheirToken(page) {
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

export const ask = (path, form) => fetch(`${told.url}${path}`, { method: "POST", body: new URLSearchParams({ client_id: "portal", ...form }) });

/** Counts what is sent to the outbox's door: envelopes, and ids of acts. */
export function pushes(page) {
  const ids = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/sync/push")) ids.push(request);
  });
  return ids;
}

export const ops = async (page) => (await stored(page, "outbox")).map(({ op_id, state, subject_id }) => ({ op_id, state, subject_id }));

/** Gives the token with which the page asks next. */
export async function tokenOf(page) {
  const asking = page.waitForRequest((request) => request.url().includes("/v1/home"));
  await page.reload();
  return (await asking).headers().authorization;
}

/** Looks, ten times a second for half a minute, whether something has come about; says whether it has. */
export async function until(page, condition) {
  for (let tries = 0; tries < 300; tries++) {
    if (await condition()) return true;
    await page.waitForTimeout(100);
  }
  return false;
}

/** Gives what waits until all that a page has asked for has come and is shown; what goes on for ever aside. */
export function watched(page) {
  const asked = new Set();
  page.on("request", (request) => request.url().includes("/v1/") && !request.url().endsWith("/v1/events") && asked.add(request));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => asked.delete(request));
  return async () => {
    do {
      await until(page, () => asked.size === 0);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    } while (asked.size > 0);
  };
}

export const allSent = (page) => until(page, async () => (await ops(page)).every(({ state }) => state === "sent"));

/** Taps as a person does, and counts: what ticks a row is one tap. */
export function tapping(page) {
  const tap = (what) => {
    tap.count++;
    return (typeof what === "string" ? page.locator(what).first() : what).click();
  };
  tap.count = 0;
  return tap;
}

/** Lets each journey take place, `only` those that have one of its words in their names; each tells what was seen. */
export async function perform(journeys) {
  try {
    for (const [name, journey] of Object.entries(journeys)) {
      if (told.only && !told.only.split(",").some((each) => name.includes(each))) continue;
      say({ journey: name, ...(await journey().catch((error) => ({ failed: error.message.split("\n").slice(0, 3).join(" ") }))) });
    }
  } finally {
    await browser.close();
  }
}
