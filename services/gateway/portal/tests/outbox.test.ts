/** The outbox against a store of its own and a system that answers as it is told to. */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../src/api/client.ts";
import { SignInNeeded } from "../src/api/problems.ts";
import { inMemory } from "../src/kiosk/memory.ts";
import { type Database, openDatabase, wipe } from "../src/store/database.ts";
import { newId } from "../src/store/ids.ts";
import { Outbox } from "../src/store/outbox.ts";

interface Sent {
  ops: { op_id: string; person_id: string; kind: string; about?: string }[];
}
type Answers = (sent: Sent) => Response | Promise<Response>;

const person = () => `person-${newId()}`;
const results = (sent: Sent, result: string, more: object = {}): string =>
  sent.ops.map(({ op_id }) => `${JSON.stringify({ op_id, result, ...more })}\n`).join("");

async function opened(whose: string, answers: Answers, token = async () => "token", kept = openDatabase(whose)) {
  const sent: Sent[] = [];
  globalThis.fetch = (async (_address: string, init: RequestInit) => {
    const body = new Response(init.body).body as ReadableStream;
    const told: Sent = await new Response(body.pipeThrough(new DecompressionStream("gzip"))).json();
    sent.push(told);
    return answers(told);
  }) as typeof fetch;
  const database = await kept;
  await database.put("meta", "the person", "person_id");
  const outbox = new Outbox(database, new Api({ token, language: () => "zh-CN" }), whose);
  await outbox.load();
  return { database, outbox, sent };
}

const act = (subject_id = newId()) => ({ kind: "register", subject_id, about: "支部党员大会" });
const states = async (database: Database) => (await database.getAll("outbox")).map(({ state }) => state);

test("an act is written down before it is sent, and sent in its person's name without what only they see", async () => {
  const { database, outbox, sent } = await opened(person(), (told) => new Response(results(told, "applied")));
  await outbox.add(act());
  assert.equal((await database.getAll("outbox")).length, 1);
  await outbox.flush();
  assert.deepEqual(await states(database), ["sent"]);
  assert.equal(sent[0]?.ops[0]?.person_id, "the person");
  assert.equal(sent[0]?.ops[0]?.about, undefined);
});

test("what has no result stays and goes again under the same id", async () => {
  let tries = 0;
  const { database, outbox, sent } = await opened(person(), (told) => {
    if (++tries === 1) throw new TypeError("cut");
    return new Response(results(told, "duplicate"));
  });
  await outbox.add(act());
  await outbox.flush();
  await outbox.flush();
  assert.deepEqual(await states(database), ["sent"]);
  assert.equal(new Set(sent.flatMap(({ ops }) => ops.map(({ op_id }) => op_id))).size, 1);
});

test("of an answer that breaks off, the results that came count", async () => {
  const whose = person();
  let first = true;
  const { database, outbox, sent } = await opened(whose, (told) => {
    const whole = results(told, "applied");
    const half = first ? whole.slice(0, whole.indexOf("\n") + 20) : whole;
    first = false;
    return new Response(half);
  });
  const store = database.transaction("outbox", "readwrite").store;
  for (let at = 0; at < 3; at++)
    await store.put({ ...act(), op_id: newId(at), body: {}, acted_at: "", state: "waiting" });
  await outbox.flush();
  assert.deepEqual(await states(database), ["sent", "sent", "sent"]);
  assert.deepEqual(sent.map(({ ops }) => ops.length), [3, 2]); // biome-ignore format: one line
});

test("twenty-five acts go in two envelopes, in the order in which they were done", async () => {
  const { database, outbox, sent } = await opened(person(), (told) => new Response(results(told, "applied")));
  const store = database.transaction("outbox", "readwrite").store;
  const ids = Array.from({ length: 25 }, (_, at) => newId(at));
  for (const op_id of ids) await store.put({ ...act(), op_id, body: {}, acted_at: "", state: "waiting" });
  await outbox.flush();
  assert.deepEqual(sent.map(({ ops }) => ops.length), [20, 5]); // biome-ignore format: one line
  assert.deepEqual(sent.flatMap(({ ops }) => ops.map(({ op_id }) => op_id)), ids); // biome-ignore format: one line
});

test("what has to come again says why meanwhile, and holds up nobody", async () => {
  const problem = { type: "https://x.example/problems/step_up_required", acr_values: "1" };
  const { database, outbox, sent } = await opened(person(), ({ ops: [first, ...others] }) => {
    const answer = first?.kind === "profile.revise" ? { result: "retry", problem } : { result: "applied" };
    const more = others.map(({ op_id }) => `${JSON.stringify({ op_id, result: "applied" })}\n`);
    return new Response(`${JSON.stringify({ op_id: first?.op_id, ...answer })}\n${more.join("")}`);
  });
  const store = database.transaction("outbox", "readwrite").store;
  const waiting = { body: {}, acted_at: "", state: "waiting" } as const;
  await store.put({ ...act(), ...waiting, kind: "profile.revise", op_id: newId(0) });
  await store.put({ ...act(), ...waiting, op_id: newId(1) });
  await outbox.flush();
  assert.deepEqual(outbox.ops.value.map(({ state, result }) => [state, result]), [["waiting", problem], ["sent", undefined]]); // biome-ignore format: one line
  assert.deepEqual(sent.map(({ ops }) => ops.length), [2, 1]); // biome-ignore format: one line
});

test("a refusal stays with its reason, and is sent again only as a new act", async () => {
  const problem = { title: "已经办结了", type: "/problems/case_closed" };
  const { database, outbox } = await opened(person(), (told) => new Response(results(told, "rejected", { problem })));
  await outbox.add(act());
  await outbox.flush();
  const [refused] = await database.getAll("outbox");
  assert.equal(refused?.state, "refused");
  assert.equal(refused?.result?.title, problem.title);
  await outbox.again(refused as NonNullable<typeof refused>);
  await outbox.flush();
  assert.notEqual((await database.getAll("outbox"))[0]?.op_id, refused?.op_id);
});

test("an act that is written wrongly is put aside, and the others go", async () => {
  let tries = 0;
  const { database, outbox } = await opened(person(), (told) => {
    if (++tries > 1) return new Response(results(told, "applied"));
    const problem = { title: "写得不对", errors: [{ pointer: "/body/ops/1/body" }] };
    return Response.json(problem, { status: 422, headers: { "content-type": "application/problem+json" } });
  });
  const store = database.transaction("outbox", "readwrite").store;
  for (let at = 0; at < 3; at++)
    await store.put({ ...act(), op_id: newId(at), body: {}, acted_at: "", state: "waiting" });
  await outbox.flush();
  assert.deepEqual(await states(database), ["waiting", "refused", "waiting"]);
  await outbox.flush();
  assert.deepEqual(await states(database), ["sent", "refused", "sent"]);
});

test("without a sign-in acts are still taken, and wait", async () => {
  const ended = async (): Promise<string> => {
    throw new SignInNeeded();
  };
  const { database, outbox, sent } = await opened(person(), () => new Response(), ended);
  await outbox.add(act());
  await outbox.flush();
  assert.deepEqual(await states(database), ["waiting"]);
  assert.equal(sent.length, 0);
});

test("what is wiped while it is being sent does not come back", async () => {
  for (const result of ["applied", "retry_later", "rejected"]) {
    const { database, outbox } = await opened(person(), async (told) => {
      await wipe(database);
      return new Response(results(told, result));
    });
    await outbox.add(act());
    await outbox.flush();
    assert.deepEqual(await states(database), [], result);
  }
});

test("in a terminal's memory acts are sent as from a phone, and those of whoever left do not come back", async () => {
  for (const isLeft of [false, true]) {
    const memory = inMemory();
    const answers: Answers = async (told) => {
      if (isLeft) await memory.clear("outbox");
      return new Response(results(told, "applied"));
    };
    const { outbox, sent } = await opened(person(), answers, undefined, Promise.resolve(memory));
    await outbox.add(act());
    await outbox.flush();
    assert.equal(sent.length, 1);
    assert.deepEqual(await states(memory), isLeft ? [] : ["sent"]);
  }
});

test("another person's outbox knows nothing of it", async () => {
  const first = await opened(person(), () => new Response("", { status: 503 }));
  await first.outbox.add(act());
  await first.outbox.flush();
  const second = await opened(person(), (told) => new Response(results(told, "applied")));
  await second.outbox.flush();
  assert.equal(second.sent.length, 0);
  assert.deepEqual(await states(first.database), ["waiting"]);
});

test("ids are UUIDv7 and stand in the order of their time", () => {
  const ids = [1, 2, 300, 70_000, Date.now()].map((at) => newId(at));
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([...ids].sort(), ids);
});
