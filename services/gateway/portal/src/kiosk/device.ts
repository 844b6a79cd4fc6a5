/** The sign-in of a machine that people use in turn (RFC 8628): somebody lets it in from their own phone, and leaves. */

import { signal } from "@preact/signals";
import { NoNetwork, SignInNeeded } from "../api/problems.ts";
import type { Proof } from "../host.ts";

const CLIENT = "kiosk";
const SERVICES = ["members", "activities", "learning", "feedback", "gateway"];
const SCOPE = ["openid", "identity.read", ...SERVICES.flatMap((name) => [`${name}.read`, `${name}.write`])].join(" ");
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const RETRY = 5_000;
const RENEWED_BEFORE = 90_000;
const LOOKED_AFTER = 60_000;

export interface Codes {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
  expires_in: number;
}

type Told<Good> = Partial<Good> & { error?: string };

/** What can be said while nobody is signed in: a code, that it was refused on the phone, or that nothing answers. */
export interface Waiting {
  codes?: Codes;
  isDenied?: boolean;
  isCutOff?: boolean;
}

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks identity; what it refuses is told by `error`. Throws `NoNetwork` where nothing of use comes back. */
async function ask<Good>(address: string, form: Record<string, string>): Promise<Told<Good>> {
  const body = new URLSearchParams({ client_id: CLIENT, ...form });
  const asked = fetch(`/oauth2/${address}`, {
    method: "POST",
    body,
    credentials: "omit",
    cache: "no-store",
    keepalive: true,
  });
  const answer = await asked.catch(() => undefined);
  if (answer === undefined || answer.status >= 500) throw new NoNetwork();
  return answer.json().catch(() => ({}));
}

/** Asks for codes, one after the other, until somebody has let this terminal in; gives their tokens. */
export async function letIn(device: Record<string, string>, show: (now: Waiting) => void): Promise<Tokens> {
  let isDenied = false;
  for (;;) {
    const codes = await ask<Codes>("device_authorization", { scope: SCOPE, ...device }).catch(() => undefined);
    if (codes?.device_code === undefined) {
      show({ isCutOff: true });
      await pause(RETRY);
      continue;
    }
    const given = await decided({ codes: codes as Codes, isDenied }, show);
    if (typeof given !== "string") return given;
    isDenied = given === "access_denied";
  }
}

/** Shows a code and asks what became of it; gives the tokens, or why there are none. */
async function decided(waiting: Required<Pick<Waiting, "codes" | "isDenied">>, show: (now: Waiting) => void) {
  const { device_code, expires_in, interval } = waiting.codes;
  const until = Date.now() + expires_in * 1000;
  let every = interval * 1000;
  show(waiting);
  while (Date.now() < until) {
    await pause(every);
    const told = await ask<Tokens>("token", { grant_type: GRANT, device_code }).catch(() => null);
    show(told === null ? { isCutOff: true } : waiting);
    if (told?.access_token !== undefined) return told as Tokens;
    if (told?.error === "slow_down") every += RETRY;
    else if (told !== null && told.error !== "authorization_pending") return told.error ?? "expired_token";
  }
  return "expired_token";
}

/** Gives what identity calls whoever the tokens are of. */
export function subOf({ id_token }: Tokens): string {
  const claims = id_token.split(".")[1]?.replace(/-/g, "+").replace(/_/g, "/") ?? "";
  return JSON.parse(atob(claims)).sub;
}

/** Whoever stands here, for as long as they do: tokens in memory alone, renewed meanwhile, revoked in the end. */
export class Turn {
  readonly ended = signal(false);
  readonly failed = signal(false);
  readonly signOut: () => Promise<void>;
  private readonly elsewhere: (address: string) => void;
  private readonly looking: ReturnType<typeof setInterval>;
  private tokens: Tokens | null;
  private until: number;
  private renewing: Promise<string> | null = null;

  /** `signOut` is what leaving does, `elsewhere` shows an address to be opened on a phone of one's own. */
  constructor(tokens: Tokens, signOut: () => Promise<void>, elsewhere: (address: string) => void) {
    this.tokens = tokens;
    this.until = Date.now() + tokens.expires_in * 1000;
    this.signOut = signOut;
    this.elsewhere = elsewhere;
    this.looking = setInterval(() => void this.token().catch(() => undefined), LOOKED_AFTER);
  }

  async token(isRefused = false): Promise<string> {
    if (this.tokens !== null && !isRefused && this.until - RENEWED_BEFORE > Date.now()) return this.tokens.access_token;
    this.renewing ??= this.renew().finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  /** A terminal proves little: what asks for more is for a phone of one's own. */
  async signIn(proof?: Proof): Promise<void> {
    if (proof === undefined) await this.signOut();
    else this.elsewhere(`${location.origin}/app/`);
  }

  /** Ends all that came of the sign-in. Throws `NoNetwork`; done twice it does nothing. */
  async revoke(): Promise<void> {
    clearInterval(this.looking);
    const token = this.tokens?.refresh_token;
    if (token !== undefined) await ask("revoke", { token });
    this.tokens = null;
  }

  private async renew(): Promise<string> {
    const refresh_token = this.tokens?.refresh_token ?? "";
    const told = await ask<Tokens>("token", { grant_type: "refresh_token", refresh_token });
    if (told.access_token === undefined || this.tokens === null) {
      void this.signOut(); // they ended it from their phone, or somebody else is let in
      throw new SignInNeeded();
    }
    this.tokens = { ...this.tokens, ...told };
    this.until = Date.now() + this.tokens.expires_in * 1000;
    return this.tokens.access_token;
  }
}
