/** Four classes by which shades repeat figures: all as wide, from nought. */

const CLASSES = 4;
const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** Gives the width of each of four classes that hold all of these whole numbers: one that can be said. */
export function classWidth(numbers: readonly number[]): number {
  const most = Math.max(0, ...numbers) + 1;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(most / CLASSES)));
  return STEPS.map((step) => step * power).find(
    (width) => Number.isInteger(width) && width * CLASSES >= most,
  ) as number;
}
