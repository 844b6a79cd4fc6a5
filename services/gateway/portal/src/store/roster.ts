/** Names of the members of a branch, for its sheets: the only thing of others that is kept here, for a week, sealed. */

import { type Database, dropOldRoster } from "./database.ts";

export interface Roster {
  organisation_id: string;
  people: { person_id: string; name: string; away: boolean }[];
  /** Milliseconds since 1970. */
  seen_at: number;
}

interface Sealed {
  organisation_id: string;
  seen_at: number;
  nonce: Uint8Array<ArrayBuffer>;
  content: ArrayBuffer;
}

/** Keeps a list in place of the one before, under a new key that no script can read. */
export async function keepRoster(database: Database, roster: Roster): Promise<void> {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(roster.people));
  const content = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, plain);
  const { organisation_id, seen_at } = roster;
  const writing = database.transaction("meta", "readwrite");
  await Promise.all([
    writing.store.put(key, "roster_key"),
    writing.store.put({ organisation_id, seen_at, nonce, content } satisfies Sealed, "roster"),
    writing.done,
  ]);
}

/** Gives the list of a branch if one is kept and its week is not over. */
export async function keptRoster(database: Database, organisation_id: string): Promise<Roster | null> {
  await dropOldRoster(database);
  const [sealed, key] = (await Promise.all([database.get("meta", "roster"), database.get("meta", "roster_key")])) as [
    Sealed | undefined,
    CryptoKey | undefined,
  ];
  if (sealed?.organisation_id !== organisation_id || key === undefined) return null;
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.nonce }, key, sealed.content);
  return { organisation_id, seen_at: sealed.seen_at, people: JSON.parse(new TextDecoder().decode(plain)) };
}
