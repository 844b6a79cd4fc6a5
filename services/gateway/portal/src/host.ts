/** What the first script hands to the rest of the portal; types alone, so that nothing is loaded twice. */

import type { Texts } from "./texts/zh.ts";

export type Language = "zh" | "en";
export type Size = "standard" | "large" | "larger" | "largest";
export const SIZES: readonly Size[] = ["standard", "large", "larger", "largest"];

export interface Preferences {
  language: Language;
  size: Size;
}

/** A sign-in that was begun and has yet to come back. */
export interface Begun {
  verifier: string;
  state: string;
  returnTo: string;
}

/** How strongly and how lately somebody is to prove who they are (RFC 9470): a level, and seconds. */
export interface Proof {
  acr_values?: string;
  max_age?: string;
}

export interface Host {
  preferences: Preferences;
  /** Keeps what the person chose and shows it at once. */
  prefer(changed: Partial<Preferences>): void;
  texts(language: Language): Promise<Texts>;
  /** The name of the store of whoever signed in last, null where nobody is. */
  person(): string | null;
  /** The key of that in the storage of all tabs. */
  personKey: string;
  remember(person: string | null): void;
  /** Leaves the page for the sign-in; afterwards the person is back at `returnTo`, an address below /app. */
  beginSignIn(returnTo: string, proof?: Proof): Promise<void>;
  begun(): Begun | null;
}
