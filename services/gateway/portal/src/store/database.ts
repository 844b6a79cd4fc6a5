/** What is kept on the phone: one database for each person, so that nobody ever sees or sends what is another's. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export type Scope = "home" | "activities" | "courses" | "cases" | "profile" | "area";

/** A thing as the system told it last: an answer under its address, or a subject under its id. */
export interface Subject {
  scope: Scope;
  id: string;
  version: number | null;
  etag: string | null;
  data: unknown;
  /** Milliseconds since 1970, as all times here. */
  seen_at: number;
}

export type OpState = "waiting" | "sending" | "sent" | "refused" | "conflict";

/** An act that was done here; `about` is for the person's eyes alone and never sent. */
export interface Op {
  op_id: string;
  kind: string;
  subject_id: string;
  acted_at: string;
  body: Record<string, unknown>;
  base_version?: number | undefined;
  after?: string | undefined;
  about: string;
  state: OpState;
  /** Why it was refused (RFC 9457), and when its result came. */
  result?: { title?: string; detail?: string; type?: string; trace_id?: string } | undefined;
  settled_at?: number | undefined;
}

interface Schema extends DBSchema {
  subject: { key: [string, string]; value: Subject; indexes: { scope: string } };
  outbox: { key: string; value: Op };
  meta: { key: string; value: unknown };
}
export type Database = IDBPDatabase<Schema>;

/** Names a person's database: a hash, for names of databases are read by whoever holds the phone. */
export async function personOf(sub: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sub)));
  return [...digest.slice(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function openDatabase(person: string): Promise<Database> {
  return openDB<Schema>(`xq-${person}`, 1, {
    upgrade(database) {
      database.createObjectStore("subject", { keyPath: ["scope", "id"] }).createIndex("scope", "scope");
      database.createObjectStore("outbox", { keyPath: "op_id" });
      database.createObjectStore("meta");
    },
  });
}

export const ROSTER_KEPT = 7 * 86_400_000;

/** Forgets names of others whose week is over, also for whoever has no office any more. */
export async function dropOldRoster(database: Database): Promise<void> {
  const roster = (await database.get("meta", "roster")) as { seen_at: number } | undefined;
  if (roster === undefined || roster.seen_at > Date.now() - ROSTER_KEPT) return;
  await Promise.all(["roster", "roster_key"].map((name) => database.delete("meta", name)));
}

/** Ids without which nothing could be sent; they tell nothing that anybody did. */
const STAY = ["person_id", "device_id"];

/** Forgets all that is the person's on this phone; with `butUnsent` what waits to be sent, or was not taken, stays. */
export async function wipe(database: Database, butUnsent = false): Promise<void> {
  const writing = database.transaction(["subject", "meta", "outbox"], "readwrite");
  const [meta, outbox] = [writing.objectStore("meta"), writing.objectStore("outbox")];
  await writing.objectStore("subject").clear();
  for (const name of await meta.getAllKeys()) if (!STAY.includes(name)) await meta.delete(name);
  for (const { op_id, state } of await outbox.getAll()) {
    if (!butUnsent || state === "sent") await outbox.delete(op_id);
  }
  await writing.done;
}

export async function storedSize(database: Database): Promise<{ things: number; kilobytes: number }> {
  const all = await database.getAll("subject");
  return { things: all.length, kilobytes: Math.ceil(new Blob([JSON.stringify(all)]).size / 1024) };
}
