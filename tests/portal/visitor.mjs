// Somebody with the portal in Chromium: signs in as a person would, chooses language and size, and notes what is amiss.

import { chromium } from "playwright-core";
import { QUIET } from "./looking.mjs";

let text = "";
for await (const chunk of process.stdin) text += chunk;
/** What the test told: `url`, `chromium`, `password`, `codes` (recovery codes by username, each good once), and its own. */
export const told = JSON.parse(text);

/** With `line`, the port of a proxy before the system, all that the browser asks of the system goes over it. */
const LINE = told.line ? [`--host-resolver-rules=MAP ${new URL(told.url).host} 127.0.0.1:${told.line}`] : [];

export const launched = () => chromium.launch({ executablePath: told.chromium, args: [...QUIET, ...LINE] });

export function say(what) {
  console.log(JSON.stringify(what));
}

/** Opens a context in which nobody is signed in; `problems` collects what its pages complain of. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ locale: "zh-CN", viewport: { width: 360, height: 760 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) problems.push(`CSP: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script error: ${error.message}`));
  page.setDefaultTimeout(60_000);
  return { context, page, problems };
}

/** For how long who signed in once is still signed in at identity, for later contexts: it asks anew after ten minutes. */
const KNOWN_FOR = 240_000;
const signedIn = new Map();

/** Signs in from the first screen; ends on the home. A context of nobody yet has who signed in shortly before go on. */
export async function signIn(page, username) {
  const context = page.context();
  const isNew = (await context.cookies()).length === 0;
  const before = isNew && signedIn.get(username);
  if (before && before.at + KNOWN_FOR > Date.now()) await context.addCookies(before.cookies);
  await page.goto(`${told.url}/app/`);
  await page.locator("[data-sign-in]").click();
  const asked = page.locator("input[name=username]");
  await asked.or(page.locator("#app h1")).first().waitFor();
  if (!(await asked.count())) return;
  await asked.fill(username);
  await page.locator("input[name=password]").fill(told.password);
  await page.locator("main form button").first().click();
  await page.waitForURL(/\/app\/|second-factor/);
  if (page.url().includes("second-factor")) {
    await page.locator("input[name=code]").fill(told.codes[username].pop());
    await page.locator("main form button").first().click();
  }
  await page.waitForURL(/\/app\/(?!signed-in)/);
  await page.locator("#app h1").waitFor();
  if (isNew) signedIn.set(username, { at: Date.now(), cookies: await context.cookies() });
}

export async function prefer(page, preferences) {
  await page.evaluate((chosen) => localStorage.setItem("xq-preferences", JSON.stringify(chosen)), preferences);
}

/** Makes a store on the phone hold these things and no others. */
export function inStore(page, store, things) {
  return page.evaluate(async ([name, all]) => {
    const person = localStorage.getItem("xq-person");
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(`xq-${person}`);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = reject;
    });
    const writing = database.transaction(name, "readwrite");
    writing.objectStore(name).clear();
    for (const each of all) writing.objectStore(name).put(each);
    await new Promise((resolve) => { writing.oncomplete = resolve; });
    database.close();
  }, [store, things]);
}

/** Gives the page a Chinese voice, from its next opening on: what it is to read comes into `spoken`. */
export function withVoice(page) {
  return page.addInitScript(() => {
    window.spoken = [];
    window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
    const value = {
      getVoices: () => [{ lang: "en-GB", localService: true }, { lang: "zh-CN", localService: true }],
      speak: (each) => window.spoken.push(each),
      cancel() {}, addEventListener() {}, removeEventListener() {},
    };
    Object.defineProperty(window, "speechSynthesis", { value });
  });
}
