// Opens every page in Chromium, in both languages, with and without script, and says what is wrong with it.

import { chromium } from "playwright-core";
import { accessible, QUIET, smallestType, tooWide } from "./looking.mjs";
import { PAGES, Visitor } from "./table.mjs";

const SMALLEST_TYPE = 18;
let text = "";
for await (const chunk of process.stdin) text += chunk;
const told = JSON.parse(text);
const browser = await chromium.launch({ executablePath: told.chromium, args: QUIET });

async function checked(entry, language, script) {
  const context = await browser.newContext({ locale: language, javaScriptEnabled: script, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) problems.push(`CSP: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script error: ${error.message}`));
  try {
    await entry.open(new Visitor(page, told));
    const lang = await page.locator("html").getAttribute("lang");
    if (lang !== language && !(language === "en" && lang?.startsWith("en"))) problems.push(`it speaks ${lang}`);
    const shown = await page.locator("body").getAttribute("data-page");
    if (shown !== entry.template) problems.push(`the page is ${shown}: ${await page.locator("main").textContent()}`);
    if (!script && entry.script && !(await page.locator("main a:visible").count())) problems.push("no way on without script");
    if ((await page.locator("h1").count()) !== 1) problems.push("it has not one heading");
    if (script) problems.push(...(await accessible(page)));
    problems.push(...(await readable(page, context)));
    if (told.pictures) await page.screenshot({ path: `${told.pictures}/${entry.template}-${entry.face ?? ""}-${language}-${script}.png`, fullPage: true });
  } catch (error) {
    problems.push(`it could not be opened: ${error.message.split("\n")[0]} at ${page.url()}`);
  } finally {
    await context.close();
  }
  console.log(JSON.stringify({ template: entry.template, face: entry.face ?? "", language, script, problems }));
}

async function readable(page, context) {
  const problems = [];
  const smallest = await smallestType(page);
  if (smallest < SMALLEST_TYPE) problems.push(`type of ${smallest} px`);
  const zoom = await context.newCDPSession(page);
  const views = [["320 px", 320, 1], ["200 % zoom", 640, 2], ["400 % zoom", 320, 4]];
  for (const [name, width, deviceScaleFactor] of views) {
    await zoom.send("Emulation.setDeviceMetricsOverride", { width, height: 450, deviceScaleFactor, mobile: false });
    problems.push(...(await tooWide(page, name)));
  }
  await zoom.send("Emulation.setDeviceMetricsOverride", { width: 640, height: 450, deviceScaleFactor: 1, mobile: false });
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  problems.push(...(await tooWide(page, "text twice as large")));
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  await zoom.send("Emulation.clearDeviceMetricsOverride");
  return problems;
}

const all = PAGES.filter(({ template }) => !told.only || template === told.only).flatMap((entry) =>
  ["zh-CN", "en"].flatMap((language) => [true, false].map((script) => () => checked(entry, language, script))),
);
try {
  const next = all[Symbol.iterator]();
  const worker = async () => { for (const check of next) await check(); };
  await Promise.all([worker(), worker()]);
} finally {
  await browser.close();
}
