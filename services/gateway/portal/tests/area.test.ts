/** Figures of officers: what is hidden is never a nought, and what is a few never none. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { classWidth } from "../src/screens/area/classes.ts";
import { type Figure, percent, said, shareOf } from "../src/screens/area/figures.ts";
import { preferences } from "../src/shell/portal.ts";

preferences.value = { language: "zh", size: "standard" };

function figure(measure: string, value: number | null): Figure {
  const formula = { formula_zh: "党员总数", formula_en: "Members", formula_holds_from: "2026-01-01" };
  return { measure, value, suppressed: value === null, ...formula };
}

test("a hidden figure is said to be hidden, and takes part in no share", () => {
  const [hidden, whole] = [figure("members.away", null), figure("members.all", 40)];
  assert.match(said(hidden), /不显示/);
  assert.doesNotMatch(said(hidden), /0/);
  assert.equal(shareOf(hidden, whole), null);
  assert.equal(shareOf(whole, figure("members.all", null)), null);
  assert.equal(said(figure("members.away", 0)), "0 人");
});

test("a few are never said to be none, nor nearly all to be all", () => {
  assert.deepEqual([0, 0.2, 12.4, 99.7, 100].map(percent), ["0%", "<1%", "12%", ">99%", "100%"]);
});

test("four classes hold every number", () => {
  for (const most of [0, 1, 3, 4, 7, 11, 95, 100, 612, 1439, 89_000]) {
    const width = classWidth([0, most]);
    assert.ok(Number.isInteger(width) && Math.floor(most / width) < 4, `${most}: ${width}`);
  }
});
