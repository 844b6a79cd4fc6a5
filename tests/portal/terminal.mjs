// A terminal that people use in turn, and the phone from which somebody lets themselves in.

import { told, visitor } from "./visitor.mjs";

/** Opens a terminal whose clock can be put forward; `problems` collects what its page complains of. */
export async function terminal(browser, setUp = {}) {
  const opened = await visitor(browser, { viewport: { width: 1280, height: 900 } });
  await opened.page.clock.install();
  await idle(opened.page, { terminal: "hall", ...setUp });
  return opened;
}

export async function idle(page, setUp) {
  await page.goto(`${told.url}/kiosk/?${new URLSearchParams(setUp)}`);
  await page.locator(".code b").waitFor();
}

export const shownCode = (page) => page.locator(".code b").textContent();

/** Decides on the code that the terminal shows; whoever has not signed in on this phone does so first. */
export async function decide(phone, code, username, decision = "approve") {
  await phone.goto(`${told.url}/oauth2/device?user_code=${code}`);
  if (await phone.locator("input[name=username]").count()) {
    await phone.locator("input[name=username]").fill(username);
    await phone.locator("input[name=password]").fill(told.password);
    await phone.locator("main form button").first().click();
  }
  await phone.locator("input[name=user_code]:visible").waitFor();
  await phone.locator("main form button").first().click();
  await phone.locator(`button[value=${decision}]`).click();
  await phone.locator("main form").waitFor({ state: "detached" });
}

/** Lets somebody in by their phone; ends at the six things to do. */
export async function letIn(page, phone, username) {
  await decide(phone, await shownCode(page), username);
  await page.clock.fastForward(5_000);
  await page.locator(".tile").first().waitFor();
}

/** Has the terminal stand where a screen of it begins, in this language and size: chosen by its buttons, or its address. */
export async function chosen({ isIdle }, { language, size }, { page, phone }) {
  if (isIdle) return idle(page, { terminal: "look", place: "石桥村村委会", language, size });
  if (!(await page.locator(".foot").count())) {
    await idle(page, { terminal: "look", place: "石桥村村委会" });
    await letIn(page, phone, told.people.member);
  }
  for (const way of ["dialog button", ".foot a"]) if (await page.locator(way).count()) await page.locator(way).first().click();
  const [inOther, larger] = [page.locator("main .row button").first(), page.locator("main .row button").last()];
  if (!(await page.locator("html").getAttribute("lang")).startsWith(language)) await inOther.click();
  while ((await page.locator("html").getAttribute("data-size")) !== size) await larger.click();
}
