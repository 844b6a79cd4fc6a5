// Looks at every screen in five combinations of language, size, width and scheme, in which every pair of them occurs, or
// with `whole` in all sixteen.

import { browser, watched } from "./journey.mjs";
import { accessible, smallestType, tooWide } from "./looking.mjs";
import { SCREENS } from "./screens.mjs";
import { chosen } from "./terminal.mjs";
import { inStore, prefer, say, signIn, told, visitor } from "./visitor.mjs";

const FACES = [["zh", "en"], ["standard", "largest"], [360, 1280], ["light", "dark"]];
const PAIRWISE = [
  ["zh", "standard", 360, "light"],
  ["zh", "largest", 1280, "dark"],
  ["en", "standard", 1280, "dark"],
  ["en", "largest", 360, "dark"],
  ["en", "largest", 1280, "light"],
];
const COMBINATIONS = told.whole ? FACES.reduce((all, face) => all.flatMap((each) => face.map((one) => [...each, one])), [[]]) : PAIRWISE;
const SMALLEST = { standard: 16, largest: 26 };
const TARGET = { standard: 44, largest: 60 };

/** Opens a screen of the portal as somebody's phone shows it who prefers this. */
async function opened(screen, preferences, { context, page }) {
  const address = screen.address.replace(/\{(\w+)\}/g, (_, name) => told.here[name]);
  await prefer(page, preferences);
  if (screen.offline) await context.setOffline(true);
  await screen.before?.(page);
  await page.goto(`${told.url}/app${address}`);
  await page.locator(screen.who === null ? "#welcome h1" : "#app h1").waitFor();
}

async function looked(screen, [language, size, width, scheme], visit) {
  const { context, page, problems, quiet } = visit;
  problems.length = 0;
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  try {
    await (screen.who === "terminal" ? chosen : opened)(screen, { language, size }, visit);
    await screen.show?.(page);
    if (screen.ready) await page.locator(screen.ready).first().waitFor();
    await quiet();
    const shown = (await page.locator("html").getAttribute("lang")).slice(0, 2);
    if (shown !== language) problems.push(`it speaks ${shown}`);
    if ((await page.locator("h1:visible").count()) !== 1) problems.push("it has not one heading");
    if (told.pictures) await page.screenshot({ path: `${told.pictures}/${screen.name}-${language}-${size}-${width}-${scheme}.png`, fullPage: true });
    // All of it in sight: what lies below the bar at the bottom for a moment is no small target.
    await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight + 300) });
    problems.push(...(await accessible(page)));
    const smallest = await smallestType(page);
    if (smallest < SMALLEST[size]) problems.push(`type of ${smallest} px`);
    problems.push(...(await smallTargets(page, TARGET[size])));
    for (const [name, view] of [["320 px", 320], [`${width} px`, width]]) {
      await page.setViewportSize({ width: view, height: 900 });
      problems.push(...(await tooWide(page, name)));
    }
  } catch (error) {
    problems.push(`it could not be opened: ${error.message.split("\n")[0]} at ${page.url()}`);
  } finally {
    if (screen.before) await inStore(page, "outbox", []);
    await context.setOffline(false);
  }
  say({ screen: screen.name, language, size, width, scheme, problems: [...problems] });
}

/** What is pressed is large enough in both directions; links inside a sentence are as large as its letters. */
function smallTargets(page, least) {
  return page.evaluate((target) => {
    const small = [];
    for (const each of document.querySelectorAll("a, button, summary, input, select, textarea, label.choice, label.tick")) {
      const { width, height } = each.getBoundingClientRect();
      if (!each.checkVisibility() || each.closest("p, label.choice, label.tick, noscript") && !each.matches("label")) continue;
      if (width < target || height < target) small.push(`a target of ${Math.round(width)} × ${Math.round(height)} px: ${each.textContent.slice(0, 30)}`);
    }
    return small;
  }, least);
}

try {
  const wanted = SCREENS.filter(({ name }) => !told.only || told.only.split(",").includes(name));
  const people = [...new Set(wanted.map((screen) => screen.who))];
  const next = async () => {
    while (people.length > 0) {
      const who = people.shift();
      const visit = await visitor(browser);
      visit.quiet = watched(visit.page);
      if (who === "terminal") {
        await visit.page.clock.install();
        visit.phone = (await visitor(browser)).page;
      } else if (who === null) await visit.page.goto(`${told.url}/app/`);
      else await signIn(visit.page, told.people[who]).then(() => visit.page.evaluate(() => navigator.serviceWorker.ready.then(() => {})));
      for (const screen of wanted.filter((each) => each.who === who)) {
        for (const combination of COMBINATIONS) await looked(screen, combination, visit);
      }
      await visit.context.close();
    }
  };
  await Promise.all([next(), next()]); // two people at a time
} finally {
  await browser.close();
}
