/** Figures of officers: places stand in official order whatever the figures are, and what is hidden is never a nought. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { classWidth } from "../src/screens/area/classes.ts";
import { type Figure, percent, said, shareOf } from "../src/screens/area/figures.ts";
import { type Child, inOfficialOrder } from "../src/screens/area/places.ts";
import { preferences } from "../src/shell/portal.ts";

preferences.value = { language: "zh", size: "standard" };

function figure(measure: string, value: number | null): Figure {
  const formula = { formula_zh: "党员总数", formula_en: "Members", formula_holds_from: "2026-01-01" };
  return { measure, value, suppressed: value === null, ...formula };
}

function child(id: string, name: string, value: number | null): Child {
  return { id, name, level: "township", figures: new Map([["members.all", figure("members.all", value)]]) };
}

const CODES = new Map([
  ["c", "522731001"],
  ["a", "522731002"],
  ["b", "522731100"],
]);

test("places stand in the order of divisions, whatever their figures, names and ids", () => {
  for (const values of [
    [1, 2, 3],
    [3, 2, 1],
    [null, 9, 0],
  ]) {
    const all = ["a", "b", "c"].map((id, at) => child(id, `${9 - at}`, values[at] as number | null));
    for (const places of [all, [...all].reverse()]) {
      assert.deepEqual(
        [...places].sort(inOfficialOrder(CODES)).map(({ id }) => id),
        ["c", "a", "b"],
      );
    }
  }
});

test("what has no division of its own comes last, by name and not by figure", () => {
  const places = [child("z", "第二支部", 99), child("y", "第一支部", 5), child("a", "镇", 1)];
  assert.deepEqual(
    places.sort(inOfficialOrder(CODES)).map(({ id }) => id),
    ["a", "y", "z"],
  );
});

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
