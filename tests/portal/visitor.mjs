// Somebody with the portal in Chromium: signs in as a person would, chooses language and size, and notes what is amiss.

import { createHmac } from "node:crypto";
import { chromium } from "playwright-core";
import { QUIET } from "./looking.mjs";

let text = "";
for await (const chunk of process.stdin) text += chunk;
/** What the test told: `url`, `chromium`, `password`, `apps` (secrets of authenticators by username), and its own. */
export const told = JSON.parse(text);

export const launched = () => chromium.launch({ executablePath: told.chromium, args: QUIET });

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
  page.setDefaultTimeout(20_000);
  return { context, page, problems };
}

/** Signs in from the first screen; ends on the home. */
export async function signIn(page, username) {
  await page.goto(`${told.url}/app/`);
  await page.locator("[data-sign-in]").click();
  await page.locator("input[name=username]").fill(username);
  await page.locator("input[name=password]").fill(told.password);
  await page.locator("main form button").first().click();
  await page.waitForURL(/\/app\/|second-factor/);
  while (page.url().includes("second-factor")) {
    await page.locator("input[name=code]").fill(code(told.apps[username]));
    await page.locator("main form button").first().click();
    await page.waitForURL(/\/app\//, { timeout: 3_000 }).catch(() => page.waitForTimeout(10_000));
  }
  await page.waitForURL(/\/app\/(?!signed-in)/);
  await page.locator("#app h1").waitFor();
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

/** What an authenticator app with this secret shows now (RFC 6238). */
function code(secret) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(step).digest();
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
