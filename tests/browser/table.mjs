// Every page of identity and the way a person gets to it. A template without an entry here fails the test.

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const somewhereElse = "https://weather.example.org/callback";
export const clientRequest = new URLSearchParams({
  client_id: "weather",
  redirect_uri: somewhereElse,
  response_type: "code",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
});

/** Each page: its template, which face of it, how to get there; `script` says that it is of no use without one. */
export const PAGES = [
  { template: "sign_in", open: (v) => v.go("/sign-in") },
  { template: "sign_in", face: "for a client", open: (v) => v.go(`/oauth2/authorize?${clientRequest}`) },
  { template: "sign_in", face: "wrong", open: (v) => v.signIn({ username: "nobody", password: "wrong" }) },
  { template: "signed_in", open: async (v) => { await v.signIn(await v.person()); await v.go("/sign-in"); } },
  { template: "sign_out", open: async (v) => { await v.signIn(await v.person()); await v.go("/oauth2/end-session"); } },
  {
    template: "signed_out",
    open: async (v) => { await v.signIn(await v.person()); await v.go("/oauth2/end-session"); await v.send(); },
  },
  { template: "refused", open: (v) => v.go("/oauth2/authorize?client_id=nobody") },
  // It names no scope, so the page lists every one there is.
  { template: "consent", open: async (v) => v.signIn(await v.person(), `/oauth2/authorize?${clientRequest}`) },
  { template: "code_phone", open: (v) => v.go("/sign-in/code") },
  { template: "code_answer", open: async (v) => { await v.go("/sign-in/code"); await v.fillIn({ phone: v.nobodysNumber() }); } },
  { template: "code_phone", face: "recovery", open: (v) => v.go("/sign-in/recovery") },
  {
    template: "code_answer", face: "recovery",
    open: async (v) => { await v.go("/sign-in/recovery"); await v.fillIn({ phone: v.nobodysNumber() }); },
  },
  { template: "new_password", face: "recovery", open: (v) => v.recover() },
  { template: "recovered", open: async (v) => { await v.recover(); await v.fillIn({ password: "a better password" }); } },
  { template: "recovery_waiting", open: (v) => v.recover("?officer") },
  {
    template: "objected",
    open: async (v) => {
      const { phone } = await v.person();
      await v.go("/sign-in/objection");
      await v.fillIn({ phone });
      await v.fillIn({ code: await v.codeTo(phone) });
    },
  },
  { template: "second_factor", open: async (v) => v.signIn(await v.person("?app")) },
  { template: "new_password", open: async (v) => v.signIn(await v.person("?beginner")) },
  {
    template: "new_password", face: "wrong",
    open: async (v) => { await v.signIn(await v.person("?beginner")); await v.fillIn({ password: "woaini1314" }); },
  },
  { template: "file_phone", open: async (v) => v.signIn(await v.person("?unproven")) },
  {
    template: "file_phone", face: "sent",
    open: async (v) => { await v.signIn(await v.person("?unproven")); await v.send(); },
  },
  { template: "own_account", open: (v) => v.go("/sign-in/own-account") },
  { template: "own_account_password", open: (v) => v.ownAccount() },
  { template: "own_account_there", open: (v) => v.ownAccount("&there") },
  { template: "passkey", script: true, open: (v) => v.go("/sign-in/passkey") },
  { template: "wechat_refused", open: (v) => v.go("/sign-in/wechat?code=forged&state=forged") },
  { template: "device", open: async (v) => { await v.signIn(await v.person(), "/oauth2/device"); } },
  {
    template: "device", face: "wrong",
    open: async (v) => { await v.signIn(await v.person(), "/oauth2/device"); await v.fillIn({ user_code: "BBBB-BBBB" }); },
  },
  { template: "device_confirm", open: (v) => v.atDevice() },
  { template: "device_done", open: async (v) => { await v.atDevice(); await v.click("approve"); } },
  { template: "device_done", face: "refused", open: async (v) => { await v.atDevice(); await v.click("deny"); } },
  { template: "security", open: async (v) => { await v.signIn(await v.person("?password_alone"), "/sign-in/security"); } },
  {
    template: "security_one_thing",
    open: async (v) => {
      await v.ownAccount();
      await v.fillIn({ username: `own.${v.nobodysNumber().slice(3)}`, password: "桥下的水向东流了三年" });
      await v.go("/sign-in/security");
    },
  },
  { template: "sessions", open: async (v) => v.signIn(await v.person(), "/sign-in/sessions") },
  {
    template: "sessions", face: "with a device",
    open: async (v) => {
      const { device_code } = await v.atDevice();
      await v.click("approve");
      await v.redeem(device_code);
      await v.go("/sign-in/sessions");
    },
  },
  { template: "security_totp", open: (v) => v.addApp() },
  {
    template: "security_totp", face: "wrong",
    open: async (v) => { await v.addApp(); await v.fillIn({ code: "000000" }); },
  },
  {
    template: "recovery_codes",
    open: async (v) => {
      await v.addApp();
      const secret = await v.page.locator("main code").first().textContent();
      await v.fillIn({ code: await v.ask(`/app-code?secret=${encodeURIComponent(secret)}`) });
    },
  },
  {
    template: "security_passkey", script: true,
    open: async (v) => { await v.signIn(await v.person("?password_alone"), "/sign-in/security"); await v.go("/sign-in/security/passkey"); },
  },
];

/** A person in a browser: what the entries above do there, with forms alone. */
export class Visitor {
  constructor(page, told) {
    this.page = page;
    this.told = told;
  }

  go(path) {
    return this.page.goto(new URL(path, this.told.url).href);
  }

  async person(owning = "") {
    const answer = await fetch(`${this.told.control}/person${owning}`, { method: "POST" });
    return answer.json();
  }

  async ownAccount(query = "") {
    await this.go("/sign-in/own-account");
    await this.fillIn({ name: "阿依古丽·买买提", id_number: `5227311990${String(Math.floor(Math.random() * 1e7)).padStart(7, "0")}X` });
    const proof = (await this.page.context().cookies()).find(({ name }) => name.endsWith("challenge")).value;
    await this.fillIn({ code: await this.ask(`/own-code?proof=${proof}${query}`) });
  }

  /** A number that nobody has: it is answered like any other, and the next one is not made to wait for it. */
  nobodysNumber() {
    return `139${String(Math.floor(Math.random() * 1e8)).padStart(8, "0")}`;
  }

  async ask(path) {
    return (await (await fetch(`${this.told.control}${path}`)).json()).code;
  }

  codeTo(phone) {
    return this.ask(`/code?phone=${phone}`);
  }

  async addApp() {
    await this.signIn(await this.person("?password_alone"), "/sign-in/security");
    await this.send();
  }

  async signIn(person, path = "/sign-in") {
    await this.go(path);
    await this.fillIn({ username: person.username, password: person.password });
  }

  async fillIn(fields) {
    for (const [name, value] of Object.entries(fields)) {
      const input = this.page.locator(`[name="${name}"]:visible`);
      if (value === true) await input.check();
      else await input.fill(value);
    }
    await this.send();
  }

  async send() {
    await this.page.locator('main form button[type="submit"]:visible').first().click();
    await this.page.waitForLoadState();
  }

  async click(value) {
    await this.page.locator(`button[value="${value}"]`).click();
    await this.page.waitForLoadState();
  }

  async recover(owning = "") {
    const { phone } = await this.person(owning);
    await this.go("/sign-in/recovery");
    await this.fillIn({ phone });
    await this.fillIn({ code: await this.codeTo(phone) });
  }

  async atDevice() {
    const body = new URLSearchParams({
      client_id: "screen", scope: "openid profile", grant_type: DEVICE, device_label: "石桥村党群服务中心一楼大厅东侧的自助终端",
    });
    const codes = await (await fetch(`${this.told.url}/oauth2/device_authorization`, { method: "POST", body })).json();
    await this.signIn(await this.person(), `/oauth2/device?user_code=${codes.user_code}`);
    await this.send();
    return codes;
  }

  async redeem(device_code) {
    const body = new URLSearchParams({ grant_type: DEVICE, client_id: "screen", device_code });
    const answer = await fetch(`${this.told.url}/oauth2/token`, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
  }
}
