/** A QR code of an address, to be scanned from paper or from this screen; its file is loaded once one is shown. */

import { generate } from "lean-qr";

/** The quiet border that scanners need, in squares. */
const BORDER = 4;

export function Qr({ text, title }: { text: string; title: string }) {
  const code = generate(text);
  const side = code.size + 2 * BORDER;
  const squares = [];
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) squares.push(`M${x + BORDER} ${y + BORDER}h1v1h-1z`);
  }
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={title} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={squares.join("")} fill="#000" />
    </svg>
  );
}
