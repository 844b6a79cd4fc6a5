/** Reads that begin with what is stored. */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Api } from "../src/api/client.ts";
import { NoNetwork, Refused } from "../src/api/problems.ts";
import { openDatabase, storedSize, wipe } from "../src/store/database.ts";
import { newId } from "../src/store/ids.ts";
import { Subjects } from "../src/store/subjects.ts";

const api = new Api({ token: async () => "token", language: () => "zh-CN" });

async function opened(answers: (tag: string | null) => Response) {
  const asked: (string | null)[] = [];
  globalThis.fetch = (async (_: string, init: RequestInit) => {
    const tag = new Headers(init.headers).get("if-none-match");
    asked.push(tag);
    return answers(tag);
  }) as typeof fetch;
  const database = await openDatabase(`person-${newId()}`);
  const subjects = new Subjects(database, api);
  const reading = subjects.at("profile", "/v1/me", {});
  return { asked, database, subjects, reading };
}

test("what was told is kept with its tag, and not sent again while it is the same", async () => {
  const { asked, database, subjects, reading } = await opened((tag) =>
    tag === 'W/"1"'
      ? new Response(null, { status: 304 })
      : Response.json({ username: "a" }, { headers: { etag: 'W/"1"' } }),
  );
  subjects.watch("profile", "/v1/me");
  await subjects.refresh();
  await subjects.refresh();
  assert.deepEqual(reading.value.data, { username: "a" });
  assert.deepEqual([asked[0], asked.at(-1)], [null, 'W/"1"']);
  assert.equal((await database.getAll("subject")).length, 1);
  assert.equal(reading.value.asking, false);
});

test("what is shown in clear is kept covered, as the system shows it to who has not proved who they are", async () => {
  const told = { name: "韦国强", id_number: "522731196003041234", phone: "13800138000", away: true };
  const opened_ = { ...told, opened: ["name", "id_number", "phone"] };
  const { database, subjects, reading } = await opened(() => Response.json(opened_));
  subjects.watch("profile", "/v1/me");
  await subjects.refresh();
  assert.deepEqual(reading.value.data as unknown, opened_);
  const [kept] = await database.getAll("subject");
  assert.deepEqual(kept?.data, {
    name: "韦**",
    id_number: `5${"*".repeat(17)}`,
    phone: "138********",
    away: true,
    opened: [],
  });
  await subjects.keep({ scope: "profile", id: "list", version: 1, etag: null, data: { items: [opened_] }, seen_at: 1 });
  const list = (await database.get("subject", ["profile", "list"]))?.data as { items: object[] };
  assert.deepEqual(list.items, [kept?.data]);
});

test("an answer that breaks off on its way is none: what is stored stays, and it is asked for no more", async () => {
  const { subjects, reading } = await opened(() => new Response('{"username": "a'));
  subjects.watch("profile", "/v1/me");
  await subjects.refresh();
  assert.equal(reading.value.asking, false);
  assert.ok(reading.value.trouble instanceof NoNetwork);
  await assert.rejects(api.read("/v1/me", {}), NoNetwork);
  await assert.rejects(api.send("POST", "/v1/me", {}, newId()), NoNetwork);
});

test("without a network what is stored is shown with its time, and what is not says so", async () => {
  let isUp = true;
  const { subjects, reading } = await opened(() => {
    if (isUp) return Response.json({ username: "a" });
    throw new TypeError("no network");
  });
  const leave = subjects.watch("profile", "/v1/me");
  await subjects.refresh();
  isUp = false;
  await subjects.refresh();
  assert.deepEqual(reading.value.data, { username: "a" });
  assert.ok(reading.value.trouble instanceof NoNetwork);
  assert.ok((reading.value.seenAt ?? 0) > 0);
  leave();
});

test("a refusal keeps its code and trace, and leaves what is stored", async () => {
  const problem = { type: "https://x.example/problems/unavailable", title: "暂时不可用", trace_id: "ab" };
  const { subjects, reading } = await opened(() =>
    Response.json(problem, { status: 503, headers: { "content-type": "application/problem+json" } }),
  );
  subjects.watch("profile", "/v1/me");
  await subjects.refresh();
  const { trouble } = reading.value;
  assert.ok(trouble instanceof Refused);
  assert.equal(trouble.code, "unavailable");
  assert.equal(trouble.problem.trace_id, "ab");
});

test("wiping takes all that is the person's; who leaves keeps what is not sent", async () => {
  const { database, subjects } = await opened(() => Response.json({ username: "a" }));
  const op = { kind: "register", subject_id: newId(), acted_at: "", body: {}, about: "" };
  const fill = async () => {
    subjects.watch("profile", "/v1/me");
    await subjects.refresh();
    for (const state of ["waiting", "refused", "sent"] as const) {
      await database.put("outbox", { ...op, op_id: newId(), state });
    }
    await database.put("meta", { text: "路灯又坏了" }, "draft report");
    await database.put("meta", "the person", "person_id");
  };
  const left = async () => (await database.getAll("outbox")).map(({ state }) => state).sort();
  await fill();
  assert.equal((await storedSize(database)).things, 1);
  await wipe(database, true);
  assert.equal((await storedSize(database)).things, 0);
  assert.deepEqual(await left(), ["refused", "waiting"]);
  assert.deepEqual(await database.getAllKeys("meta"), ["person_id"]);
  await fill();
  await wipe(database);
  assert.equal((await storedSize(database)).things, 0);
  assert.deepEqual(await left(), []);
  assert.deepEqual(await database.getAllKeys("meta"), ["person_id"]);
});
