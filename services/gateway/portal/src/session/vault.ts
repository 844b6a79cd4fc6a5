/** Where the sign-in is kept between visits: a refresh token that is good for the key beside it alone. */

import { type DBSchema, openDB } from "idb";

export interface Kept {
  sub: string;
  refreshToken: string;
  idToken: string;
  /** Its private half cannot be read, by us or by anybody: it only signs. */
  keys: CryptoKeyPair;
}

interface Schema extends DBSchema {
  kept: { key: string; value: Kept };
}

const opened = () =>
  openDB<Schema>("xq-session", 1, { upgrade: (database) => void database.createObjectStore("kept") });
const ONLY = "now";

export async function kept(): Promise<Kept | undefined> {
  return (await opened()).get("kept", ONLY);
}

export async function keep(session: Kept): Promise<void> {
  await (await opened()).put("kept", session, ONLY);
}

export async function drop(): Promise<void> {
  await (await opened()).delete("kept", ONLY);
}
