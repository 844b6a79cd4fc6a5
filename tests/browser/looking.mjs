// What is looked at on every page, whoever's it is: axe, the smallest type, nothing too wide.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
export const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function accessible(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags }, preload: false }), RULES,
  );
  return violations.map(({ id, nodes }) => `axe ${id}: ${nodes.map(({ html }) => html).join(" | ").slice(0, 300)}`);
}

export async function smallestType(page) {
  return page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const sizes = [parseFloat(getComputedStyle(document.body).fontSize)];
    while (walker.nextNode()) {
      const { parentElement } = walker.currentNode;
      if (walker.currentNode.data.trim() && parentElement.checkVisibility()) sizes.push(parseFloat(getComputedStyle(parentElement).fontSize));
    }
    return Math.min(...sizes);
  });
}

export async function tooWide(page, view) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return over > 0 ? [`${over} px too wide at ${view}`] : [];
}
