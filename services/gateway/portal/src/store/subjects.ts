/** Reads that begin with what the phone has: shown at once, then asked for by their entity tag, and kept again. */

import { type Signal, signal } from "@preact/signals";
import { type AnswerOf, type Api, addressOf, contentOf, type ReadPath, type Where } from "../api/client.ts";
import { type Trouble, troubleOf } from "../api/problems.ts";
import type { Database, Scope, Subject } from "./database.ts";

/** A thing as it can be shown now. Without `data` nothing is known of it yet. */
export interface Reading<T> {
  data?: T;
  seenAt?: number;
  asking: boolean;
  trouble?: Trouble;
}

interface Watched {
  scope: Scope;
  id: string;
  reading: Signal<Reading<unknown>>;
  watchers: number;
  running?: Promise<void> | undefined;
  again: boolean;
}

/** Covers the personal fields that were told in clear: what is kept on a phone says no more than a masked file does. */
function covered(data: unknown): unknown {
  const { opened, items } = (data ?? {}) as { opened?: string[]; items?: unknown[] };
  if (Array.isArray(items)) return { ...(data as object), items: items.map(covered) };
  if (!Array.isArray(opened) || opened.length === 0) return data;
  const hidden = opened.map((field) => {
    const told = (data as Record<string, string | null>)[field];
    const shown = field === "phone" ? 3 : 1;
    return [field, told && told.slice(0, shown) + "*".repeat(Math.max(1, told.length - shown))];
  });
  return { ...(data as object), ...Object.fromEntries(hidden), opened: [] };
}

export class Subjects {
  /** How often all was asked for anew: what is not stored, and came to nothing, asks again then. */
  readonly rounds: Signal<number> = signal(0);
  private readonly database: Database;
  private readonly api: Api;
  private readonly watched = new Map<string, Watched>();
  private isClosed = false;
  constructor(database: Database, api: Api) {
    this.database = database;
    this.api = api;
  }

  /** Gives a reading of an address that keeps itself up to date while somebody watches it. */
  at<P extends ReadPath>(scope: Scope, path: P, where: Where<P>): Signal<Reading<AnswerOf<P>>> {
    return this.of(scope, addressOf(path, where)).reading as Signal<Reading<AnswerOf<P>>>;
  }

  /** Watches an address until the function it gives is called. */
  watch(scope: Scope, address: string): () => void {
    const watched = this.of(scope, address);
    watched.watchers++;
    void this.refreshOne(watched);
    return () => {
      watched.watchers--;
    };
  }

  /** Asks again for what is watched: of one scope, or all. */
  async refresh(scope?: Scope): Promise<void> {
    if (scope === undefined) this.rounds.value++;
    const due = [...this.watched.values()].filter((each) => each.watchers > 0 && (scope ?? each.scope) === each.scope);
    await Promise.all(due.map((each) => this.refreshOne(each)));
  }

  /** Brings an address onto the phone for later; gives it, with what came in its way if anything did. */
  async store(scope: Scope, address: string): Promise<Reading<unknown>> {
    const watched = this.of(scope, address);
    await this.refreshOne(watched);
    return watched.reading.value;
  }

  /** Forgets what is not watched now, as after the store was wiped. */
  forget(): void {
    for (const [key, each] of this.watched) if (each.watchers === 0) this.watched.delete(key);
  }

  /** Keeps what the system told; once closed nothing more, whatever still comes in. */
  async keep(subject: Subject): Promise<void> {
    if (!this.isClosed) await this.database.put("subject", { ...subject, data: covered(subject.data) });
  }

  /** Keeps nothing from now on, for the person leaves. */
  close(): void {
    this.isClosed = true;
  }

  private of(scope: Scope, id: string): Watched {
    const key = `${scope} ${id}`;
    const known = this.watched.get(key);
    if (known !== undefined) return known;
    const made: Watched = { scope, id, reading: signal({ asking: true }), watchers: 0, again: false };
    this.watched.set(key, made);
    return made;
  }

  /** Asks once at a time; who comes meanwhile is served by one more asking, for the first may have been too early. */
  private refreshOne(watched: Watched): Promise<void> {
    if (watched.running !== undefined) {
      watched.again = true;
      return watched.running;
    }
    watched.running = this.ask(watched).finally(() => {
      watched.running = undefined;
      if (!watched.again) return;
      watched.again = false;
      return this.refreshOne(watched);
    });
    return watched.running;
  }

  private async ask({ scope, id, reading }: Watched): Promise<void> {
    const stored = await this.database.get("subject", [scope, id]);
    if (stored !== undefined) reading.value = { data: stored.data, seenAt: stored.seen_at, asking: true };
    try {
      const answer = await this.api.ask(id, stored?.etag ? { headers: { "If-None-Match": stored.etag } } : {});
      const seen_at = Date.now();
      const data = answer.status === 304 && stored ? stored.data : await contentOf(answer);
      const etag = answer.headers.get("etag") ?? stored?.etag ?? null;
      await this.keep({ scope, id, version: stored?.version ?? null, etag, data, seen_at });
      reading.value = { data, seenAt: seen_at, asking: false };
    } catch (error) {
      reading.value = { ...reading.value, asking: false, trouble: troubleOf(error) };
    }
  }
}
