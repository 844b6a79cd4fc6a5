// Makes a passkey in Chromium, signs in by it, and tries what must not let anybody in; says how each went.

import { chromium } from "playwright-core";
import { clientRequest, Visitor } from "./table.mjs";

const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // of the request's challenge, as in RFC 7636
const SOFT = {
  protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
  automaticPresenceSimulation: true,
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const told = JSON.parse(text);
const browser = await chromium.launch({ executablePath: told.chromium, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });

/** Somebody with a browser of their own and a passkey device in it, which holds `credential` if one is given. */
async function somebody({ credential, ...traits } = {}) {
  const context = await browser.newContext({ locale: "en" });
  const page = await context.newPage();
  await context.route("https://weather.example.org/**", (route) => route.fulfill({ body: "back at the client" }));
  const device = await context.newCDPSession(page);
  await device.send("WebAuthn.enable");
  const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", { options: { ...SOFT, ...traits } });
  if (credential) await device.send("WebAuthn.addCredential", { authenticatorId, credential });
  const held = async () => (await device.send("WebAuthn.getCredentials", { authenticatorId })).credentials[0];
  return { context, page, visitor: new Visitor(page, told), held };
}

async function register({ page, visitor }) {
  await visitor.go("/sign-in/security/passkey");
  await page.locator('[name="name"]').fill("my telephone");
  await page.locator("#passkey-form button").click();
  await page.waitForURL("**/sign-in/second-factor?next=security**"); // the page of one's ways in takes it from now on
}

/** Press the button for passkeys on the first page, then the one that asks the device; tell what came of it. */
async function use({ page }, address = `${told.url}/oauth2/authorize?${clientRequest}&prompt=login`) {
  await page.goto(address);
  await page.locator('a[href^="/sign-in/passkey"]').click();
  await page.waitForURL("**/sign-in/passkey**");
  const before = page.url();
  const failed = page.locator("#passkey-failed");
  const sent = [page.waitForResponse((response) => response.request().method() === "POST"), page.waitForEvent("load")];
  const answered = Promise.all(sent).then(([response]) => response.status(), () => "no answer");
  const refused = failed.waitFor({ state: "visible" }).then(() => "the browser refused", () => "no refusal");
  await page.locator("#passkey-form button").click();
  const first = await Promise.race([answered, refused]);
  return { first, stays: page.url() === before };
}

async function isSignedIn({ page }, url = told.url) {
  await page.goto(`${url}/sign-in`);
  return (await page.locator("body").getAttribute("data-page")) === "signed_in";
}

async function claims({ page }) {
  await page.locator('button[value="approve"]').click();
  await page.waitForURL("https://weather.example.org/**");
  const answer = new URL(page.url()).searchParams;
  const body = new URLSearchParams({
    grant_type: "authorization_code", client_id: "weather", code: answer.get("code"), code_verifier: VERIFIER,
    redirect_uri: clientRequest.get("redirect_uri"),
  });
  const tokens = await (await fetch(`${told.url}/oauth2/token`, { method: "POST", body })).json();
  const { acr, amr } = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url"));
  return { acr, amr };
}

const say = (what, result) => console.log(JSON.stringify({ what, ...result }));

try {
  const owner = await somebody();
  await owner.visitor.signIn(await owner.visitor.person("?password_alone"), "/sign-in/security");
  await register(owner);
  const made = await owner.held();
  say("made", { rp: made.rpId, resident: made.isResidentCredential });

  await owner.visitor.go("/oauth2/end-session");
  await owner.visitor.send();
  say("signed out", { signedIn: await isSignedIn(owner) });
  const { first } = await use(owner);
  say("signs in", { first, ...(await claims(owner)), signedIn: await isSignedIn(owner) });

  const unverified = await somebody({ credential: await owner.held(), isUserVerified: false });
  say("person not verified", { ...(await use(unverified)), signedIn: await isSignedIn(unverified) });

  const { port } = new URL(told.url);
  for (const host of ["127.0.0.1", "evil.localhost"]) {
    const elsewhere = await somebody({ credential: await owner.held() });
    const url = `http://${host}:${port}`;
    const tried = await use(elsewhere, `${url}/sign-in`);
    say(`at ${host}`, { ...tried, signedIn: await isSignedIn(elsewhere, url) });
  }

  const copy = await somebody({ credential: made }); // as it was before it signed in
  say("a copy", { ...(await use(copy)), signedIn: await isSignedIn(copy) });
  const { first: again } = await use(owner);
  say("the original after its copy", { first: again });
} finally {
  await browser.close();
}
