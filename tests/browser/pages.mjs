// Opens every page in Chromium, in both languages, with and without script, and says what is wrong with it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { PAGES, Visitor } from "./table.mjs";

const SMALLEST_TYPE = 18;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

let text = "";
for await (const chunk of process.stdin) text += chunk;
const told = JSON.parse(text);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
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

async function accessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags }, preload: false }), RULES,
  );
  return violations.map(({ id, nodes }) => `axe ${id}: ${nodes.map(({ html }) => html).join(" | ").slice(0, 300)}`);
}

async function readable(page, context) {
  const problems = [];
  const smallest = await page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const sizes = [parseFloat(getComputedStyle(document.body).fontSize)];
    while (walker.nextNode()) {
      const { parentElement } = walker.currentNode;
      if (walker.currentNode.data.trim() && parentElement.checkVisibility()) sizes.push(parseFloat(getComputedStyle(parentElement).fontSize));
    }
    return Math.min(...sizes);
  });
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

async function tooWide(page, view) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return over > 0 ? [`${over} px too wide at ${view}`] : [];
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
