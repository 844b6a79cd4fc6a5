/** Whose sign-in a page may use. */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { NoNetwork, SignInNeeded } from "../src/api/problems.ts";
import type { Host } from "../src/host.ts";
import { Session } from "../src/session/session.ts";
import { keep, kept } from "../src/session/vault.ts";
import { personOf } from "../src/store/database.ts";

const host = {} as Host;

test("a page never takes a token of somebody who signed in beside it, and leaves them theirs", async () => {
  const theirs = { sub: "the second", refreshToken: "r", idToken: "i", keys: {} as CryptoKeyPair };
  await keep(theirs);
  const session = new Session(host);
  session.person = await personOf("the first");
  await assert.rejects(session.token(), SignInNeeded);
  assert.equal(session.ended.value, true);
  assert.equal((await kept())?.sub, "the second");
});

test("without a network the sign-in has not ended", async () => {
  Object.assign(globalThis, { location: { origin: "https://x.example", protocol: "https:" } });
  globalThis.fetch = async () => {
    throw new TypeError("no network");
  };
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  await keep({ sub: "the first", refreshToken: "r", idToken: "i", keys });
  const session = new Session(host);
  session.person = await personOf("the first");
  await assert.rejects(session.token(), NoNetwork);
  assert.equal(session.ended.value, false);
  assert.equal((await kept())?.sub, "the first");
});
