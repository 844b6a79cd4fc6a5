/** Days as they are reckoned in China, wherever the phone is. */

import assert from "node:assert/strict";
import { test } from "node:test";

(globalThis as { navigator?: object }).navigator ??= {};
const { workingDay } = await import("../src/shell/dates.ts");
const china = (moment: number): string => new Date(moment + 8 * 3_600_000).toISOString().slice(0, 10);

test("working days are those from Monday to Friday after the day of now", () => {
  const tuesday = Date.parse("2026-12-01T12:00:00+08:00");
  assert.equal(china(workingDay(1, tuesday)), "2026-12-02");
  assert.equal(china(workingDay(5, tuesday)), "2026-12-08");
  assert.equal(china(workingDay(15, tuesday)), "2026-12-22");
  const lateOnFriday = Date.parse("2026-12-04T23:30:00+08:00");
  assert.equal(china(workingDay(1, lateOnFriday)), "2026-12-07");
});
