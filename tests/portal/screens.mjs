// Every screen of the portal: who opens it and at which address. A new screen is a line here.
// `show(page)` brings out what is only there after a tap; `ready` is what is awaited, one heading without it.

export const SCREENS = [
  { name: "welcome", who: null, address: "/", ready: "[data-sign-in]" },
  { name: "home", who: "away", address: "/", ready: "article" },
  { name: "home-clear", who: "villager", address: "/", ready: "article" },
  { name: "outbox", who: "away", address: "/outbox", offline: true, show: queueOne },
  { name: "me", who: "away", address: "/me", ready: ".choices" },
  { name: "me-sign-out", who: "away", address: "/me", ready: "dialog[open]", show: askToLeave },
  { name: "missing", who: "away", address: "/nowhere" },
];

async function queueOne(page) {
  await page.locator("nav a").first().click();
  await page.locator("article button.button").first().click();
  await page.locator("a.outbox-bar").click();
  await page.locator("main article").first().waitFor();
}

async function askToLeave(page) {
  await page.locator("main > button").last().click();
}
