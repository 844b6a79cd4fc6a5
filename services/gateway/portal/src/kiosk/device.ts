/** The sign-in of a machine that people use in turn (RFC 8628): somebody lets it in from their own phone, and leaves. */

import { signal } from "@preact/signals";
import { NoNetwork, SignInNeeded } from "../api/problems.ts";
import type { Proof } from "../host.ts";

const CLIENT = "kiosk";
const SERVICES = ["members", "activities", "learning", "feedback", "gateway"];
const SCOPE = ["openid", "identity.read", ...SERVICES.flatMap((name) => [`${name}.read`, `${name}.write`])].join(" ");
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const POST: RequestInit = { method: "POST", credentials: "omit", cache: "no-store", keepalive: true };
const RETRY = 5_000;
const RENEWED_BEFORE = 90_000;
const LOOKED_AFTER = 60_000;

type Codes = Record<"device_code" | "user_code" | "verification_uri" | "verification_uri_complete", string> &
  Record<"expires_in" | "interval", number>;

export type Tokens = Record<"access_token" | "refresh_token" | "id_token", string> & { expires_in: number };

/** What can be said while nobody is signed in: a code, that it was refused on the phone, or that nothing answers. */
export type Waiting = { codes?: Codes; isDenied?: boolean; isCutOff?: boolean };

export const pause = () => new Promise((resolve) => setTimeout(resolve, RETRY));

/** Asks identity; what it refuses is told by `error`. Throws `NoNetwork` where nothing of use comes back. */
async function ask<Good>(address: string, form: Record<string, string>): Promise<Partial<Good> & { error?: string }> {
  const body = new URLSearchParams({ client_id: CLIENT, ...form });
  const answer = await fetch(`/oauth2/${address}`, { ...POST, body }).catch(() => undefined);
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
      await pause();
      continue;
    }
    const given = await decided({ codes: codes as Codes, isDenied }, show);
    if (typeof given !== "string") return given;
    isDenied = given === "access_denied";
  }
}

/** Shows a code and asks what became of it; gives the tokens, or why there are none. */
async function decided(waiting: Waiting & { codes: Codes }, show: (now: Waiting) => void): Promise<Tokens | string> {
  const { device_code, expires_in, interval } = waiting.codes;
  const until = Date.now() + expires_in * 1000;
  let every = interval * 1000;
  show(waiting);
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, every));
    const told = await ask<Tokens>("token", { grant_type: GRANT, device_code }).catch(() => null);
    show(told === null ? { isCutOff: true } : waiting);
    if (told?.access_token !== undefined) return told as Tokens;
    if (told?.error === "slow_down") every += RETRY;
    else if (told !== null && told.error !== "authorization_pending") return told.error ?? "";
  }
  return "";
}

/** Gives what identity calls whoever the tokens are of. */
export function subOf({ id_token }: Tokens): string {
  return JSON.parse(atob(id_token.split(".")[1]?.replace(/-/g, "+").replace(/_/g, "/") ?? "")).sub;
}

export type Turn = ReturnType<typeof turnOf>;

/**
 * Whoever stands here, for as long as they do: tokens in memory alone, renewed meanwhile, revoked in the end.
 *
 * A terminal proves little: what asks for more is opened `elsewhere`, on a phone of one's own.
 */
export function turnOf(tokens: Tokens | null, leave: () => Promise<void>, elsewhere: (address: string) => void) {
  const lasts = () => Date.now() + (tokens?.expires_in ?? 0) * 1000;
  let until = lasts();
  let renewing: Promise<string> | null = null;

  async function renew(): Promise<string> {
    const refresh_token = tokens?.refresh_token ?? "";
    const told = await ask<Tokens>("token", { grant_type: "refresh_token", refresh_token });
    if (told.access_token === undefined || tokens === null) {
      void leave(); // they ended it from their phone, or somebody else is let in
      throw new SignInNeeded();
    }
    tokens = { ...tokens, ...told };
    until = lasts();
    return tokens.access_token;
  }

  async function token(isRefused = false): Promise<string> {
    if (tokens !== null && !isRefused && until - RENEWED_BEFORE > Date.now()) return tokens.access_token;
    renewing ??= renew().finally(() => {
      renewing = null;
    });
    return renewing;
  }

  const looking = setInterval(() => void token().catch(() => undefined), LOOKED_AFTER);

  /** Ends all that came of the sign-in, here too. Throws where there is no network; done twice it does nothing. */
  async function revoke(): Promise<void> {
    clearInterval(looking);
    if (tokens !== null) await ask("revoke", { token: tokens.refresh_token });
    tokens = null;
    await fetch("/kiosk/out", POST);
  }

  const signIn = async (proof?: Proof) => (proof === undefined ? leave() : elsewhere(`${location.origin}/app/`));
  return { ended: signal(false), failed: signal(false), token, signIn, signOut: leave, revoke };
}
