// What journeys with the portal have in common: how they are performed, and what is read of a phone on the way.

import { launched, say, told } from "./visitor.mjs";

export const browser = await launched();
export const home = (page) => page.goto(`${told.url}/app/`).then(() => page.locator("#app h1").waitFor());

/** Reads what is kept of the sign-in, as a script on the page could. */
export function kept(page) {
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

export const ops = (page) => page.evaluate(async () => {
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
export async function tokenOf(page) {
  const asking = page.waitForRequest((request) => request.url().includes("/v1/home"));
  await page.reload();
  return (await asking).headers().authorization;
}

export async function until(page, condition) {
  for (let tries = 0; tries < 100; tries++) {
    if (await condition()) return true;
    await page.waitForTimeout(100);
  }
  return false;
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
