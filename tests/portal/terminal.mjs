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
