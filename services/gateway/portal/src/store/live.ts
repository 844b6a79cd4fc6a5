/** What changes while the portal is open: one tab listens to the system and tells the others. */

import type { Api } from "../api/client.ts";
import { Refused, troubleOf } from "../api/problems.ts";
import { events } from "../api/streams.ts";
import { alone } from "../locks.ts";
import type { Database, Scope } from "./database.ts";
import type { Subjects } from "./subjects.ts";

const SCOPES: readonly Scope[] = ["home", "activities", "courses", "cases", "profile"];
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 300_000;

interface Told {
  scope: Scope;
  subject_id: string;
  version: number | null;
  gone: boolean;
  data?: unknown;
}

/** On a dear or very slow link nothing is listened to: what is shown is asked for when somebody looks. */
function isDear(): boolean {
  const link = (navigator as { connection?: { saveData?: boolean; effectiveType?: string } }).connection;
  return link?.saveData === true || /2g/.test(link?.effectiveType ?? "");
}

export class Live {
  private readonly database: Database;
  private readonly api: Api;
  private readonly subjects: Subjects;
  private readonly tabs: BroadcastChannel | null;

  constructor(database: Database, api: Api, subjects: Subjects, person: string) {
    this.database = database;
    this.api = api;
    this.subjects = subjects;
    this.tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`xq-live-${person}`);
    this.tabs?.addEventListener("message", ({ data }) => void subjects.refresh(data));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void subjects.refresh();
    });
    addEventListener("online", () => void subjects.refresh());
    if (!isDear()) void alone(`xq-live-${person}`, () => this.listen());
  }

  private async listen(): Promise<never> {
    for (let pause = FIRST_PAUSE; ; ) {
      const began = Date.now();
      try {
        await this.hear(await this.catchUp());
      } catch (error) {
        if (error instanceof Refused && error.code === "cursor_expired") await this.forget(SCOPES);
        else troubleOf(error);
      }
      pause = Date.now() - began > LONGEST_PAUSE ? FIRST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Takes in what changed while nobody listened; gives the cursor from which to go on. */
  private async catchUp(): Promise<string> {
    for (;;) {
      const known = (await this.database.get("meta", "cursor")) as string | undefined;
      const found = await this.api.read("/v1/sync/changes", {
        query: { ...(known !== undefined && { cursor: known }) },
      });
      if (found.reset.length > 0) await this.forget(found.reset as Scope[]);
      for (const change of found.changes as Told[]) await this.take(change);
      await this.database.put("meta", found.cursor, "cursor");
      if (known !== undefined)
        for (const scope of new Set((found.changes as Told[]).map((each) => each.scope))) this.tell(scope);
      if (!found.more) return found.cursor;
    }
  }

  private async hear(cursor: string): Promise<void> {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": cursor };
    for await (const { event, id, data } of events(await this.api.ask("/v1/events", { headers }))) {
      if (event === "bye" || event === "resync") return;
      if (event !== "change") continue;
      const change: Told = JSON.parse(data);
      await this.take(change);
      if (id !== "") await this.database.put("meta", id, "cursor");
      this.tell(change.scope);
    }
  }

  private async take({ scope, subject_id: id, version, gone, data }: Told): Promise<void> {
    if (gone) await this.database.delete("subject", [scope, id]);
    else if (data != null) await this.subjects.keep({ scope, id, version, etag: null, data, seen_at: Date.now() });
  }

  private tell(scope: Scope): void {
    this.tabs?.postMessage(scope);
    void this.subjects.refresh(scope);
  }

  private async forget(scopes: readonly Scope[]): Promise<void> {
    const writing = this.database.transaction(["subject", "meta"], "readwrite");
    for (const scope of scopes) {
      for (const key of await writing.objectStore("subject").index("scope").getAllKeys(scope)) {
        if (!key[1].startsWith("/")) await writing.objectStore("subject").delete(key);
      }
    }
    await writing.objectStore("meta").delete("cursor");
    await writing.done;
  }
}
