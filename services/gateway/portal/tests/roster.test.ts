/** The roster: names are kept for a week, sealed, for one branch, and go with all that was told. */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { dropOldRoster, openDatabase, wipe } from "../src/store/database.ts";
import { keepRoster, keptRoster } from "../src/store/roster.ts";

const BRANCH = "01930000-0000-7000-8000-000000000001";
const DAY = 86_400_000;
const people = [{ person_id: "01930000-0000-7000-8000-000000000002", name: "韦国强", away: false }];

async function kept(name: string, days: number) {
  const database = await openDatabase(name);
  await keepRoster(database, { organisation_id: BRANCH, people, seen_at: Date.now() - days * DAY });
  return database;
}

test("names are given back, and stand nowhere in what is stored", async () => {
  const database = await kept("sealed", 6);
  assert.deepEqual((await keptRoster(database, BRANCH))?.people, people);
  const stored = (await database.get("meta", "roster")) as { content: ArrayBuffer };
  assert.ok(!Buffer.from(stored.content).includes("韦国强"));
  const key = (await database.get("meta", "roster_key")) as CryptoKey;
  await assert.rejects(crypto.subtle.exportKey("raw", key));
});

test("another branch has none", async () => {
  assert.equal(await keptRoster(await kept("other", 0), "01930000-0000-7000-8000-000000000009"), null);
});

test("after a week they are gone, also where nobody opens a sheet", async () => {
  const database = await kept("old", 8);
  await dropOldRoster(database);
  assert.equal(await database.get("meta", "roster"), undefined);
  assert.equal(await database.get("meta", "roster_key"), undefined);
});

test("who wipes what was told wipes them", async () => {
  const database = await kept("wiped", 0);
  await wipe(database);
  assert.equal(await keptRoster(database, BRANCH), null);
  assert.equal(await database.get("meta", "roster_key"), undefined);
});
