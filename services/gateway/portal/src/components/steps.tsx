/** How far one is on the way through a few screens; the words say it, the bars repeat it. */

import { words } from "../shell/portal.ts";

export function Steps({ at, of }: { at: number; of: number }) {
  return (
    <div class="steps">
      {Array.from({ length: of }, (_, step) => (
        <i key={step} class={step < at ? "on" : undefined} />
      ))}
      <span class="small">{words.value.step(at, of)}</span>
    </div>
  );
}
