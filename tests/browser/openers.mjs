// Opens the sign-in in a window, from the page of the API document and from another site; says what the opener keeps.

import { chromium } from "playwright-core";
import { Visitor } from "./table.mjs";

const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"; // as in RFC 7636

let text = "";
for await (const chunk of process.stdin) text += chunk;
const told = JSON.parse(text);
const browser = await chromium.launch({ executablePath: told.chromium, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
const request = new URLSearchParams({
  response_type: "code", client_id: "docs", redirect_uri: `${told.url}/docs/oauth2-redirect.html`, scope: "openid",
  state: "kept", code_challenge: CHALLENGE, code_challenge_method: "S256",
});

async function opened(from) {
  const context = await browser.newContext({ locale: "en" });
  await context.route("https://weather.example.org/**", (route) => route.fulfill({ body: "a site", contentType: "text/html" }));
  const page = await context.newPage();
  await page.goto(from);
  const popup = context.waitForEvent("page");
  await page.evaluate((address) => { window.told = "nothing"; window.opened = window.open(address); }, `${told.url}/oauth2/authorize?${request}`);
  const there = await popup;
  await there.waitForURL("**/sign-in?**");
  return { page, there };
}

const elsewhere = await opened("https://weather.example.org/");
console.log(JSON.stringify({ what: "another site", cutOff: await elsewhere.page.evaluate(() => window.opened.closed) }));

const { page, there } = await opened(`${told.url}/docs`);
await page.evaluate(() => {  // as Swagger UI does, which the page of the answer talks to
  window.swaggerUIRedirectOauth2 = {
    auth: { schema: { get: () => "accessCode" }, name: "oauth2" }, state: "kept", redirectUrl: "",
    callback: ({ auth }) => { window.told = auth.code ? "a code" : "no code"; }, errCb: ({ message }) => { window.told = message; },
  };
});
const visitor = new Visitor(there, told);
const person = await visitor.person("?password_alone");
await there.locator('[name="username"]').fill(person.username);
await there.locator('[name="password"]').fill(person.password);
await there.locator('main form button[type="submit"]').first().click();
await page.waitForFunction(() => window.told !== "nothing", null, { timeout: 10000 }).catch(() => {});
console.log(JSON.stringify({ what: "the document's page", told: await page.evaluate(() => window.told) }));
await browser.close();
