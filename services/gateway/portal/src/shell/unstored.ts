/** Reads of what is other people's own: shown as long as the screen is open, and never kept on the phone. */

import { useEffect, useState } from "preact/hooks";
import { type AnswerOf, addressOf, type ReadPath, type Where } from "../api/client.ts";
import { troubleOf } from "../api/problems.ts";
import type { Reading } from "../store/subjects.ts";
import { portal } from "./portal.ts";

/** Asks once, again whenever `turn` changes, and after trouble with all else; nothing while `where` is null. */
export function useUnstored<P extends ReadPath>(path: P, where: Where<P> | null, turn = 0): Reading<AnswerOf<P>> {
  const [reading, setReading] = useState<Reading<AnswerOf<P>>>({ asking: true });
  const [again, setAgain] = useState(0);
  const address = where && addressOf(path, where);
  useEffect(() => {
    let isShown = true;
    if (where === null) return;
    const show = (now: Reading<AnswerOf<P>>) => isShown && setReading(now);
    setReading((before) => ({ ...before, asking: true }));
    portal.api.read(path, where).then(
      (data) => show({ data, asking: false }),
      (error) => show({ asking: false, trouble: troubleOf(error) }),
    );
    return () => {
      isShown = false;
    };
  }, [address, turn, again]);
  useEffect(() => {
    if (reading.trouble === undefined) return;
    const { rounds } = portal.subjects;
    const before = rounds.peek();
    return rounds.subscribe((now) => now !== before && setAgain((tries) => tries + 1));
  }, [reading.trouble]);
  return reading;
}
