// What officers do: what is seen is told, the test judges. `told.place` is theirs, `told.phone` and `told.list` wait.

import { browser, perform } from "./journey.mjs";
import { signIn, told, visitor } from "./visitor.mjs";

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

await perform({
  async "looks at the area"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.officer);
    await open(page, "/area");
    await page.locator(".groups").waitFor();
    const groups = await page.locator(".groups .card").allTextContents();
    await page.locator('a[href*="/area/places/"]').click();
    await page.locator(".tile").first().waitFor();
    const seen = await boards(page);
    await page.locator(".tile").first().focus();
    await page.keyboard.press("ArrowRight");
    const reached = await page.evaluate(() => document.activeElement.querySelector("b")?.textContent);
    await page.keyboard.press("Enter");
    await page.locator(".crumbs li").nth(1).waitFor();
    const crumbs = await page.locator(".crumbs li").allTextContents();
    await context.close();
    return { groups, boards: seen, reached, crumbs, problems };
  },

  async "one of two"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.officer);
    await open(page, "/area/approvals");
    const own = await waiting(page, told.phone);
    await open(page, `/account-lists/${told.list}`);
    await page.locator("li.list-row").first().waitFor();
    const rows = await page.locator("li.list-row").allTextContents();
    const refused = await decide(page, "开 1 个账号", "不同意");
    await context.close();
    return { own, rows, refused, problems };
  },

  async "two of two"() {
    const { page, context, problems } = await visitor(browser);
    await signIn(page, told.people.secretary);
    await open(page, "/area/approvals");
    const theirs = await waiting(page, told.phone);
    await context.setOffline(true);
    await page.locator("article").getByText("要有网才能办").first().waitFor();
    const offline = await waiting(page, told.phone);
    await context.setOffline(false);
    await page.locator("article").getByRole("button", { name: "同意", exact: true }).first().waitFor();
    const approved = await decide(page, told.phone, "同意");
    await context.close();
    return { theirs, offline, approved, problems };
  },
});
