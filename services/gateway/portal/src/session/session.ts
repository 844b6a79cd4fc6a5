/** Who is signed in: an access token in memory, renewed before it ends by what the vault keeps. */

import { type Signal, signal } from "@preact/signals";
import { NoNetwork, SignInNeeded } from "../api/problems.ts";
import type { Host, Proof } from "../host.ts";
import { alone } from "../locks.ts";
import { personOf } from "../store/database.ts";
import type { Tokens } from "./auth.ts";
import { drop, keep, kept } from "./vault.ts";

const RENEWED_BEFORE = 30_000;

export class Session {
  /** Whether the sign-in has ended: nothing stored is hidden by it, only sending and bringing up to date wait. */
  readonly ended: Signal<boolean> = signal(false);
  /** Whether a sign-in has just come back without having worked: it was broken off, or could not prove enough. */
  readonly failed: Signal<boolean> = signal(false);
  /** Whose store is open on this page. */
  person: string | null = null;
  private readonly host: Host;
  private tokens: Tokens | null = null;
  private renewing: Promise<string> | null = null;

  constructor(host: Host) {
    this.host = host;
  }

  /** Takes up the sign-in that has come back to this address; gives where the person wanted to be, and who they are. */
  async complete(address: URL): Promise<{ returnTo: string; person?: string; sub?: string }> {
    const begun = this.host.begun();
    if (begun === null) return { returnTo: "/app/" };
    const auth = await import("./auth.ts");
    try {
      const { session, tokens } = await auth.redeem(address, begun);
      await keep(session);
      this.tokens = tokens;
      const person = await personOf(session.sub);
      this.host.remember(person);
      return { person, sub: session.sub, returnTo: begun.returnTo };
    } catch (error) {
      console.warn("sign-in failed", (error as Error).name);
      this.failed.value = true;
      return { returnTo: begun.returnTo };
    }
  }

  /** Gives an access token that is still good for half a minute. Throws `SignInNeeded` and `NoNetwork`. */
  async token(isRefused = false): Promise<string> {
    if (isRefused) this.tokens = null;
    if (this.tokens !== null && this.tokens.until - RENEWED_BEFORE > Date.now()) return this.tokens.access;
    this.renewing ??= alone("xq-session", () => this.renew()).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async renew(): Promise<string> {
    const session = await kept();
    // Somebody else may have signed in beside this page: their sign-in is not for what is open here.
    const isOurs = session !== undefined && (await personOf(session.sub)) === this.person;
    const renewing = isOurs ? import("./auth.ts").then((auth) => auth.renew(session)) : null;
    const tokens = await renewing?.catch((error: Error) => {
      throw new NoNetwork(error.message);
    });
    this.ended.value = !tokens;
    if (!tokens) {
      if (isOurs) await drop();
      throw new SignInNeeded();
    }
    this.tokens = tokens;
    return tokens.access;
  }

  signIn(proof?: Proof): Promise<void> {
    return this.host.beginSignIn(location.pathname + location.search, proof);
  }

  /** Forgets who is signed in, here and at identity; without a network here alone. */
  async signOut(): Promise<void> {
    const session = await kept();
    this.tokens = null;
    this.host.remember(null);
    await drop();
    const revoking = session && import("./auth.ts").then((auth) => auth.revoke(session));
    const reached = await revoking?.catch(() => false);
    const back = { client_id: "portal", post_logout_redirect_uri: `${location.origin}/app/` };
    const leaving = new URLSearchParams({ ...back, id_token_hint: session?.idToken ?? "" });
    location.assign(reached ? `/oauth2/end-session?${leaving}` : "/app/");
  }
}
