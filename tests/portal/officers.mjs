// What officers do: what is seen is told, the test judges. `told.place` is theirs, `told.phone` and `told.list` wait.

import { launched, say, signIn, told, visitor } from "./visitor.mjs";

const browser = await launched();
const open = async (page, address) => {
  await page.goto(`${told.url}/app${address}`);
  await page.locator("#app h1").waitFor();
};

/** Reads the tiles of a board: names, and what is said of each, for every figure there is to choose. */
async function boards(page) {
  const measures = await page.locator("select option").evaluateAll((all) => all.map(({ value }) => value));
  const seen = {};
  for (const measure of measures) {
    await page.locator("select").selectOption(measure);
    seen[measure] = await page.locator(".tile").evaluateAll((all) =>
      all.map((tile) => ({ name: tile.querySelector("b").textContent, said: tile.querySelector(".value").textContent, hatched: tile.matches(".hatched") })),
    );
  }
  return seen;
}

async function waiting(page, about) {
  const card = page.locator("article", { hasText: about });
  await card.waitFor();
  return { text: await card.textContent(), buttons: await card.locator("button").allTextContents() };
}

/** Taps a button of a card and the one of the question that follows; gives what is said then. */
async function decide(page, about, word) {
  const card = page.locator("article", { hasText: about });
  await card.getByRole("button", { name: word, exact: true }).click();
  await page.locator("dialog").getByRole("button", { name: word, exact: true }).click();
  await page.locator("main .notice").waitFor();
  const words = await page.locator("main .notice").first().textContent();
  await card.waitFor({ state: "detached" });
  return words;
}

try {
  const asker = await visitor(browser);
  await signIn(asker.page, told.people.officer);
  await open(asker.page, "/area");
  await asker.page.locator(".groups").waitFor();
  const groups = await asker.page.locator(".groups .card").allTextContents();
  await asker.page.locator('a[href*="/area/places/"]').click();
  await asker.page.locator(".tile").first().waitFor();
  const seen = await boards(asker.page);
  await asker.page.locator(".tile").first().focus();
  await asker.page.keyboard.press("ArrowRight");
  const reached = await asker.page.evaluate(() => document.activeElement.querySelector("b")?.textContent);
  await asker.page.keyboard.press("Enter");
  await asker.page.locator(".crumbs li").nth(1).waitFor();
  const crumbs = await asker.page.locator(".crumbs li").allTextContents();
  say({ journey: "looks at the area", groups, boards: seen, reached, crumbs });

  await open(asker.page, "/area/approvals");
  const own = await waiting(asker.page, told.phone);
  await open(asker.page, `/account-lists/${told.list}`);
  await asker.page.locator("li.list-row").first().waitFor();
  const rows = await asker.page.locator("li.list-row").allTextContents();
  const refused = await decide(asker.page, "开 1 个账号", "不同意");
  say({ journey: "one of two", own, rows, refused, problems: asker.problems });
  await asker.context.close();

  const second = await visitor(browser);
  await signIn(second.page, told.people.secretary);
  await open(second.page, "/area/approvals");
  const theirs = await waiting(second.page, told.phone);
  await second.context.setOffline(true);
  await second.page.locator("article").getByText("要有网才能办").first().waitFor();
  const offline = await waiting(second.page, told.phone);
  await second.context.setOffline(false);
  await second.page.locator("article").getByRole("button", { name: "同意", exact: true }).first().waitFor();
  const approved = await decide(second.page, told.phone, "同意");
  say({ journey: "two of two", theirs, offline, approved, problems: second.problems });
  await second.context.close();
} finally {
  await browser.close();
}
