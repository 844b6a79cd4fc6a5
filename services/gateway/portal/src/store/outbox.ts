/** Acts that were done here and wait to be sent: written down before the button answers, gone only on their result. */

import { type Signal, signal } from "@preact/signals";
import type { Api } from "../api/client.ts";
import { NoNetwork, Refused, SignInNeeded, troubleOf } from "../api/problems.ts";
import { lines } from "../api/streams.ts";
import { alone } from "../locks.ts";
import type { Database, Op, OpState } from "./database.ts";
import { newId } from "./ids.ts";

/** Acts in one envelope: over a slow link the first results come soon. */
const ENVELOPE = 20;
/** Sent ones that are still shown. */
const SHOWN_SENT = 10;
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 300_000;

export interface Act {
  kind: string;
  subject_id: string;
  body?: Record<string, unknown>;
  base_version?: number;
  after?: string;
  /** What it is about, in the person's words, for the list of what waits. */
  about: string;
}

interface OpResult {
  op_id: string;
  result: string;
  problem?: Op["result"];
  retry_after?: number | null;
}

const STATES: Record<string, OpState> = {
  applied: "sent",
  duplicate: "sent",
  conflict: "conflict",
  rejected: "refused",
};

export class Outbox {
  /** All acts, in the order in which they were done. */
  readonly ops: Signal<readonly Op[]> = signal([]);
  /** Called when acts took effect. */
  onSent: () => void = () => {};
  private readonly database: Database;
  private readonly api: Api;
  private readonly person: string;
  private pause = FIRST_PAUSE;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(database: Database, api: Api, person: string) {
    this.database = database;
    this.api = api;
    this.person = person;
  }

  async load(): Promise<void> {
    this.ops.value = await this.database.getAll("outbox");
  }

  get unsent(): Op[] {
    return this.ops.value.filter((op) => op.state === "waiting" || op.state === "sending");
  }

  /** Writes an act down; it is kept when this returns, and sent as soon as it can be. */
  async add(act: Act): Promise<Op> {
    const op: Op = {
      body: {},
      ...act,
      op_id: newId(),
      acted_at: new Date(Date.now() + this.api.skew).toISOString(),
      state: "waiting",
    };
    await this.database.put("outbox", op);
    await this.load();
    void this.flush();
    return op;
  }

  /** Sends a refused act once more, as a new one: its old id has its last word. */
  async again({ op_id, kind, subject_id, body, base_version, after, about }: Op): Promise<void> {
    await this.database.delete("outbox", op_id);
    await this.add({
      kind,
      subject_id,
      body,
      about,
      ...(base_version != null && { base_version }),
      ...(after && { after }),
    });
  }

  async discard(op_id: string): Promise<void> {
    await this.database.delete("outbox", op_id);
    await this.load();
  }

  /** Sends what waits, envelope by envelope, in one tab at a time; what has no result stays and comes again. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    return alone(`xq-outbox-${this.person}`, async () => {
      let sent = false;
      try {
        for (;;) {
          const waiting = (await this.database.getAll("outbox")).filter(({ state }) =>
            ["waiting", "sending"].includes(state),
          );
          if (waiting.length === 0) break;
          const settled = await this.send(waiting.slice(0, ENVELOPE));
          sent ||= settled > 0;
          if (settled === 0) throw new NoNetwork("no act got a result");
        }
        this.pause = FIRST_PAUSE;
      } catch (error) {
        await this.wait(troubleOf(error));
      } finally {
        await this.tidy();
        if (sent) this.onSent();
      }
    });
  }

  private async send(ops: Op[]): Promise<number> {
    await this.mark(ops, "sending");
    const person_id = await this.database.get("meta", "person_id");
    const acts = ops.map(({ about: _, state: __, result: ___, settled_at: ____, ...act }) => ({ ...act, person_id }));
    const content = JSON.stringify({ device_id: await this.deviceId(), ops: acts });
    const { body, headers } = await packed(content);
    const answer = await this.api.ask("/v1/sync/push", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/x-ndjson", ...headers },
      body,
    });
    let settled = 0;
    for await (const line of lines(answer)) if (line !== "" && (await this.settle(JSON.parse(line)))) settled++;
    return settled;
  }

  private async settle({ op_id, result, problem }: OpResult): Promise<boolean> {
    const state = STATES[result];
    // Without one it comes again; why it had to is told meanwhile, for it may be for the person to do.
    const settled = state && { settled_at: Date.now() };
    const isThere = await this.change([op_id], { state: state ?? "waiting", result: problem ?? undefined, ...settled });
    return isThere && state !== undefined;
  }

  /** After trouble: tries again by itself, later each time, but where only the person can help. */
  private async wait(trouble: Error): Promise<void> {
    if (trouble instanceof SignInNeeded) return;
    if (trouble instanceof Refused && trouble.status === 422) {
      await this.refuseFirst(trouble);
      return;
    }
    this.timer = setTimeout(() => void this.flush(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  /** An envelope that cannot be read names the act which is written wrongly: that one is put aside. */
  private async refuseFirst({ problem }: Refused): Promise<void> {
    const ops = (await this.database.getAll("outbox")).filter((op) => op.state === "sending");
    const faulty = new Set(problem.errors?.map(({ pointer }) => Number(/^\/body\/ops\/(\d+)/.exec(pointer)?.[1] ?? 0)));
    await this.mark(
      ops.filter((_, at) => faulty.has(at)),
      "refused",
      problem,
    );
    this.timer = setTimeout(() => void this.flush(), FIRST_PAUSE);
  }

  /** Changes acts that are still there, for what was wiped or discarded meanwhile does not come back; says if any was. */
  private async change(op_ids: readonly string[], changed: Partial<Op>): Promise<boolean> {
    const writing = this.database.transaction("outbox", "readwrite");
    let some = false;
    for (const op_id of op_ids) {
      const op = await writing.store.get(op_id);
      if (op !== undefined) await writing.store.put({ ...op, ...changed });
      some ||= op !== undefined;
    }
    await writing.done;
    await this.load();
    return some;
  }

  private mark(ops: readonly Op[], state: OpState, result?: Op["result"]): Promise<boolean> {
    return this.change(
      ops.map(({ op_id }) => op_id),
      { state, ...(result && { result }) },
    );
  }

  private async tidy(): Promise<void> {
    await this.load();
    const left = this.ops.value.filter((op) => op.state === "sending");
    if (left.length > 0) await this.mark(left, "waiting");
    const sent = this.ops.value.filter((op) => op.state === "sent");
    for (const op of sent.slice(0, -SHOWN_SENT)) await this.discard(op.op_id);
  }

  private async deviceId(): Promise<string> {
    const known = await this.database.get("meta", "device_id");
    if (typeof known === "string") return known;
    const made = newId();
    await this.database.put("meta", made, "device_id");
    return made;
  }
}

async function packed(content: string): Promise<{ body: BodyInit; headers: Record<string, string> }> {
  if (typeof CompressionStream === "undefined") return { body: content, headers: {} };
  const stream = new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"));
  return { body: await new Response(stream).arrayBuffer(), headers: { "Content-Encoding": "gzip" } };
}
