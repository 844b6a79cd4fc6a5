/** Answers that come piece by piece, cut wherever a network cuts them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { events, lines, type ServerEvent } from "../src/api/streams.ts";

function cutInto(size: number, text: string, end?: Error): Response {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      at += size;
      if (at - size < bytes.length) controller.enqueue(bytes.slice(at - size, at));
      else if (end) controller.error(end);
      else controller.close();
    },
  });
  return new Response(body);
}

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of from) found.push(each);
  return found;
}

const TOLD =
  ': hello\n\nid: a1\nevent: change\ndata: {"scope":"home","title":"乡桥"}\n\nid: a2\nevent: bye\ndata: {}\n\ndata: half';
const EXPECTED: ServerEvent[] = [
  { id: "a1", event: "change", data: '{"scope":"home","title":"乡桥"}' },
  { id: "a2", event: "bye", data: "{}" },
];

test("events are the same wherever they are cut, and half a one is none", async () => {
  for (const size of [1, 2, 3, 7, 1000]) assert.deepEqual(await all(events(cutInto(size, TOLD))), EXPECTED);
});

test("lines that came before a connection broke count", async () => {
  assert.deepEqual(await all(lines(cutInto(4, "one\ntwo\nthr", new TypeError("cut")))), ["one", "two"]);
});
