/** Taking part: registering before, checking in from an hour before until it is over, and what can be done afterwards. */

import { Clock } from "lucide";
import { useEffect, useState } from "preact/hooks";
import type { AnswerOf } from "../api/client.ts";
import { Done, isRefused, lastAct, RefusedAct } from "../components/act.tsx";
import { Button } from "../components/buttons.tsx";
import { Notice } from "../components/surfaces.tsx";
import { day, dayAndTime } from "../shell/dates.ts";
import { portal, words } from "../shell/portal.ts";

export type Activity = AnswerOf<"/v1/activities/{activity_id}">;
type Mode = "in_person" | "remote";
type Phase = "early" | "open" | "over" | "late" | "closed";

/** As in the rule `attendance_window`, by which the system judges; here nobody is led to what it would refuse. */
const OPENS_BEFORE = 60 * 60_000;
const LATE = 7 * 86_400_000;
const HALF_A_MINUTE = 30_000;

const now = (): number => Date.now() + portal.api.skew;
/** Until when what was noted without a network still counts, from the end of the activity or from the note on. */
export const lastDay = (from: string): number => Date.parse(from) + LATE;

export function phaseOf({ status, starts_at, ends_at }: Pick<Activity, "status" | "starts_at" | "ends_at">): Phase {
  if (status === "closed") return "closed";
  if (now() < Date.parse(starts_at) - OPENS_BEFORE) return "early";
  if (now() <= Date.parse(ends_at)) return "open";
  return now() <= lastDay(ends_at) ? "over" : "late";
}

/** Shows a screen anew as time goes by: whoever waits at the door sees it open. */
export function usePhase(activity: Activity): Phase {
  const [, setTicks] = useState(0);
  useEffect(() => {
    const ticking = setInterval(() => setTicks((ticks) => ticks + 1), HALF_A_MINUTE);
    return () => clearInterval(ticking);
  }, []);
  return phaseOf(activity);
}

export function TakePart({ activity, seenAt }: { activity: Activity; seenAt: number | undefined }) {
  const { checkIn: says, acts } = words.value;
  const phase = usePhase(activity);
  const { activity_id, title, my_participation: mine } = activity;
  const [attend, register] = [lastAct("attend", activity_id, seenAt), lastAct("register", activity_id, seenAt)];
  if (mine?.attended_at || (attend !== undefined && !isRefused(attend))) {
    const at = mine?.attended_at ?? attend?.acted_at ?? "";
    return (
      <>
        <Done what={says.done(dayAndTime(at))} act={mine?.attended_at ? undefined : attend} />
        {!mine?.attended_at && attend?.state !== "sent" && <p>{says.saved(day(lastDay(activity.ends_at)))}</p>}
      </>
    );
  }
  if (phase === "closed" || phase === "late") {
    return <Notice icon={Clock}>{phase === "closed" ? says.closed : says.late}</Notice>;
  }
  if (phase === "early") {
    const opens = Date.parse(activity.starts_at) - OPENS_BEFORE;
    const isComing = mine?.registered_at || (register !== undefined && !isRefused(register));
    return (
      <>
        {isComing ? (
          <Done what={acts.activities_register ?? ""} act={mine?.registered_at ? undefined : register} />
        ) : (
          <Button wide onPress={() => portal.outbox.add({ kind: "register", subject_id: activity_id, about: title })}>
            {acts.activities_register}
          </Button>
        )}
        {register !== undefined && isRefused(register) && <RefusedAct act={register} instead={says.askSecretary} />}
        <p>{says.early(dayAndTime(opens))}</p>
      </>
    );
  }
  return (
    <>
      {attend !== undefined && <RefusedAct act={attend} instead={says.paper} />}
      {phase === "over" && <p>{says.over(day(lastDay(activity.ends_at)))}</p>}
      <CheckInButtons
        activity_id={activity_id}
        about={title}
        isOver={phase === "over"}
        remote={activity.join_url !== null}
      />
    </>
  );
}

interface CheckInProps {
  activity_id: string;
  about: string;
  isOver?: boolean;
  /** Whether one can take part from elsewhere. */
  remote: boolean;
}

/** One press and it is done; also where the activity itself could not be read yet. */
export function CheckInButtons({ activity_id, about, isOver, remote }: CheckInProps) {
  const { checkIn: says } = words.value;
  const checkIn = (mode: Mode) => portal.outbox.add({ kind: "attend", subject_id: activity_id, body: { mode }, about });
  return (
    <>
      <Button wide onPress={() => checkIn("in_person")}>
        {isOver ? says.wasHere : says.here}
      </Button>
      {remote && (
        <Button wide second onPress={() => checkIn("remote")}>
          {isOver ? says.wasRemote : says.remote}
        </Button>
      )}
    </>
  );
}
