/** An icon; it always stands beside words, so it says nothing to who hears the page. */

import type { IconNode } from "lucide";
import { h } from "preact";

export type { IconNode };

export function Icon({ of }: { of: IconNode }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {of.map(([tag, attributes]) => h(tag, attributes as Record<string, string>))}
    </svg>
  );
}
