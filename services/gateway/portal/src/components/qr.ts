/** A QR code of an address, as the path of an SVG; it is loaded once one is shown. */

import { generate } from "lean-qr";

/** The quiet border that scanners need, in squares. */
const BORDER = 4;

/** Gives the side in squares, and the path of the dark ones. */
export function drawn(text: string): { side: number; path: string } {
  const code = generate(text);
  const squares = [];
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) squares.push(`M${x + BORDER} ${y + BORDER}h1v1h-1z`);
  }
  return { side: code.size + 2 * BORDER, path: squares.join("") };
}
