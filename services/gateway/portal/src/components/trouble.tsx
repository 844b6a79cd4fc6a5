/** What went wrong: in words, whether anything is kept, what to do, and below it what helps who looks into it. */

import { CloudOff, ShieldCheck } from "lucide";
import { useState } from "preact/hooks";
import { NoNetwork, type Refused, SignInNeeded, type Trouble, troubleOf } from "../api/problems.ts";
import type { Proof } from "../host.ts";
import { dayAndTime } from "../shell/dates.ts";
import { portal, words } from "../shell/portal.ts";
import type { Reading } from "../store/subjects.ts";
import { Button, ButtonLink, Link } from "./buttons.tsx";
import { Notice } from "./surfaces.tsx";

export function TroubleNotice({ trouble, seenAt }: { trouble: Trouble; seenAt?: number | undefined }) {
  const { trouble: says, signIn } = words.value;
  if (trouble instanceof SignInNeeded) {
    return (
      <Notice wait alert>
        <p>{signIn.needed}</p>
        <Button onPress={() => portal.session.signIn()}>{signIn.button}</Button>
      </Notice>
    );
  }
  if (trouble instanceof NoNetwork) {
    return (
      <Notice wait icon={CloudOff}>
        <p>{seenAt === undefined ? says.offlineEmpty : says.offlineStored(dayAndTime(seenAt))}</p>
        <Retry />
      </Notice>
    );
  }
  const acr = stepUpOf((trouble as Refused).problem);
  if (acr !== undefined) return <StepUp proof={{ acr_values: acr, max_age: FRESH }} />;
  return <RefusalNotice refused={trouble as Refused} stored={seenAt !== undefined} />;
}

/** Seconds for which a proof is surely good afterwards: what asks for a fresh one asks for ten minutes. */
export const FRESH = "300";

/** Gives the level that a problem asks for, if it asks for a proof of who one is. */
export function stepUpOf(problem: object | undefined): string | undefined {
  const { type, acr_values } = (problem ?? {}) as { type?: string; acr_values?: string };
  return type?.endsWith("/step_up_required") ? (acr_values ?? "1") : undefined;
}

/** Asks for a proof of who one is; afterwards the person is back here. */
export function StepUp({ proof = { max_age: FRESH }, why }: { proof?: Proof; why?: string }) {
  const { signIn } = words.value;
  return (
    <Notice icon={ShieldCheck}>
      <p>{why ?? signIn.prove}</p>
      {portal.session.failed.value && (
        <p role="alert">
          {signIn.unproven} <a href="/sign-in">{words.value.me.account}</a>
        </p>
      )}
      <Button second onPress={() => portal.session.signIn(proof)}>
        {signIn.proveNow}
      </Button>
    </Notice>
  );
}

function RefusalNotice({ refused, stored }: { refused: Refused; stored: boolean }) {
  const { trouble: says, missing, status } = words.value;
  const isGone = refused.status === 404;
  return (
    <Notice wait alert>
      <p>
        <b>{refused.problem.title ?? says.failed}</b> {stored ? says.sought : ""}
      </p>
      {refused.problem.detail && <p>{refused.problem.detail}</p>}
      <p>{isGone ? says.gone : says.askAgain}</p>
      <div class="row">
        {isGone ? (
          <ButtonLink second to="/">
            {missing.home}
          </ButtonLink>
        ) : (
          <>
            <Retry />
            <Link to="/status">{status.title}</Link>
          </>
        )}
      </div>
      <details>
        <summary>{words.value.details}</summary>
        <p>
          {says.code}: <code>{refused.code}</code>
        </p>
        {refused.problem.trace_id && (
          <p>
            {says.trace}: <code>{refused.problem.trace_id}</code>
          </p>
        )}
      </details>
    </Notice>
  );
}

function Retry() {
  return (
    <Button second onPress={() => portal.subjects.refresh()}>
      {words.value.retry}
    </Button>
  );
}

/** Gives what does something at once, and what came in its way the last time, to be shown. */
export function useAttempt() {
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    setTrouble(null);
    await work().catch((error) => setTrouble(troubleOf(error)));
  };
  return { attempt, trouble: trouble !== null && <TroubleNotice trouble={trouble} /> };
}

const MOST = 200;

/** Gives how many of a list to ask for, and what asks for most of it where a reading has more. */
export function useMore(first: number) {
  const [limit, setLimit] = useState(first);
  const more = ({ data }: Reading<{ next_cursor?: string | null }>) =>
    data?.next_cursor != null && limit < MOST ? (
      <Button second wide onPress={() => setLimit(MOST)}>
        {words.value.more}
      </Button>
    ) : null;
  return [limit, more] as const;
}

/** Says of a reading what there is to say: that it is still on its way, or what came in its way. */
export function ReadingState({ of }: { of: Reading<unknown> }) {
  if (of.trouble !== undefined) return <TroubleNotice trouble={of.trouble} seenAt={of.seenAt} />;
  return of.data === undefined ? <p role="status">{words.value.loading}</p> : null;
}
