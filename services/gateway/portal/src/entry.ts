/** The first script: language, size of type, the way in. What is behind the sign-in it loads for whoever has one. */

import type { Begun, Host, Language, Preferences, Proof } from "./host.ts";

const PREFERENCES = "xq-preferences";
const PERSON = "xq-person";
const BEGUN = "xq-sign-in";
const RELOADED = "xq-reloaded";
const SIGNED_IN = "/app/signed-in";
const SERVICES = ["identity", "members", "activities", "learning", "feedback", "gateway"];
const SCOPE = ["openid", ...SERVICES.flatMap((name) => [`${name}.read`, `${name}.write`])].join(" ");

/** Storage may be closed to a page, in private windows for example; then everything works until it is left. */
const kept = new Map<string, string>();
function read(storage: () => Storage, name: string): string | null {
  try {
    return storage().getItem(name);
  } catch {
    return kept.get(name) ?? null;
  }
}
function write(storage: () => Storage, name: string, value: string | null): void {
  try {
    value === null ? storage().removeItem(name) : storage().setItem(name, value);
  } catch {
    value === null ? kept.delete(name) : kept.set(name, value);
  }
}
const lasting = (): Storage => localStorage;
const passing = (): Storage => sessionStorage;

function known<T>(text: string | null, otherwise: T): T {
  try {
    return { ...otherwise, ...JSON.parse(text ?? "null") };
  } catch {
    return otherwise;
  }
}

const first: Preferences = { language: navigator.language.startsWith("zh") ? "zh" : "en", size: "standard" };
const preferences = known(read(lasting, PREFERENCES), first);

function show(): void {
  const root = document.documentElement;
  root.lang = preferences.language === "zh" ? "zh-CN" : "en";
  root.dataset.size = preferences.size;
  for (const each of document.querySelectorAll<HTMLElement>("[data-prefer^=size]")) {
    each.setAttribute("aria-pressed", String(each.dataset.prefer === `size ${preferences.size}`));
  }
}

function prefer(changed: Partial<Preferences>): void {
  Object.assign(preferences, changed);
  write(lasting, PREFERENCES, JSON.stringify(preferences));
  show();
}

function base64url(bytes: ArrayBuffer | Uint8Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}
const random = (bytes: number): string => base64url(crypto.getRandomValues(new Uint8Array(bytes)));

async function beginSignIn(returnTo: string, proof?: Proof): Promise<void> {
  const begun: Begun = { verifier: random(32), state: random(16), returnTo };
  write(passing, BEGUN, JSON.stringify(begun));
  const asked = {
    response_type: "code",
    client_id: "portal",
    redirect_uri: `${location.origin}${SIGNED_IN}`,
    scope: SCOPE,
    state: begun.state,
    code_challenge: base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(begun.verifier))),
    code_challenge_method: "S256",
    ...proof,
    ui_locales: preferences.language === "zh" ? "zh-CN" : "en",
  };
  location.assign(`/oauth2/authorize?${new URLSearchParams(asked)}`);
}

const host: Host = {
  preferences,
  prefer,
  texts: async (language: Language) =>
    language === "zh" ? (await import("./texts/zh.ts")).zh : (await import("./texts/en.ts")).en,
  person: () => read(lasting, PERSON),
  personKey: PERSON,
  remember: (person) => write(lasting, PERSON, person),
  beginSignIn,
  begun: () => {
    const begun = known<Begun | null>(read(passing, BEGUN), null);
    write(passing, BEGUN, null);
    return begun;
  },
};

function loaded(sheet: HTMLLinkElement): Promise<unknown> {
  sheet.rel = "stylesheet";
  return new Promise((resolve) => {
    sheet.onload = sheet.onerror = resolve;
  });
}

async function open(): Promise<void> {
  document.documentElement.dataset.opening = "";
  const sheet = document.getElementById("style") as HTMLLinkElement;
  try {
    const [core] = await Promise.all([import("./core.tsx"), host.texts(preferences.language), loaded(sheet)]);
    await core.start(host);
    write(passing, RELOADED, null);
  } catch (error) {
    // A file that is gone from the server: the page of the newest build names others. Once, not for ever.
    if (read(passing, RELOADED) === null) {
      write(passing, RELOADED, "1");
      location.reload();
    } else {
      delete document.documentElement.dataset.opening;
      welcome();
      throw error;
    }
  }
}

function welcome(): void {
  document.documentElement.dataset.welcome = new URLSearchParams(location.search).get("sign-in") ?? "";
  document.addEventListener("click", (event) => {
    const pressed = (event.target as Element).closest<HTMLElement>("[data-prefer], [data-sign-in]");
    if (pressed === null || document.documentElement.dataset.welcome === undefined) return;
    if (pressed.dataset.prefer === undefined) void beginSignIn(location.pathname);
    else {
      const [name, value] = pressed.dataset.prefer.split(" ") as [string, string];
      prefer({ [name]: value });
    }
  });
}

show();
if (host.person() !== null || location.pathname === SIGNED_IN) void open();
else welcome();
