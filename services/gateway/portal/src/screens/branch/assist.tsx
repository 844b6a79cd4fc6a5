/** 帮人办事: asking somebody, their consent by a code or before a witness, half an hour of acting for them, the end. */

import { signal } from "@preact/signals";
import { CheckCheck } from "lucide";
import { useEffect, useState } from "preact/hooks";
import type { components } from "#document";
import { Api, contentOf, unreached } from "../../api/client.ts";
import { Refused } from "../../api/problems.ts";
import { ButtonLink } from "../../components/buttons.tsx";
import { Choices, Field } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Card, Notice } from "../../components/surfaces.tsx";
import { useAttempt } from "../../components/trouble.tsx";
import { language, portal, words } from "../../shell/portal.ts";
import { href, type Params } from "../../shell/router.ts";
import { newId, shortOf } from "../../store/ids.ts";
import { Helping } from "./helping.tsx";
import { NetButton, QrCode, useBranch, useHelpFrom, useNameOf } from "./office.tsx";
import { says } from "./words.ts";

type Session = components["schemas"]["AssistedSessionOut"];
type Evidence = components["schemas"]["AskToHelp"]["evidence"];

/** Who is to be helped: whose file was opened last, as long as the page is. */
export const helped = signal<{ person_id: string; name: string } | null>(null);

/** What the screen of helping does, and nothing else is asked for. */
const ACTIONS = ["activities.attend", "activities.register", "feedback.confirm_case", "gateway.read_home"];
const LOOK_EVERY = 3_000;

const address = (session: Session, step = "") => `/v1/assisted-sessions/${session.assist_id}${step}`;

/** Exchanges the ticket of a consent for a token that names both (RFC 8693); it is kept in memory alone. */
async function actingFor(session: Session): Promise<Api> {
  const { ticket, ticket_type } = (await portal.api.send(
    "POST", address(session, "/ticket"), null, newId(),
  )) as components["schemas"]["TicketOut"]; // biome-ignore format: one request
  const body = new URLSearchParams({
    client_id: "portal",
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: ticket,
    subject_token_type: ticket_type,
    actor_token: await portal.session.token(),
    actor_token_type: "urn:ietf:params:oauth:token-type:access_token",
  });
  const answer = await fetch("/oauth2/token", { method: "POST", body }).catch(unreached);
  if (!answer.ok) throw new Refused({ title: says.value.assist.notExchanged }, answer.status);
  const { access_token } = await contentOf(answer);
  return new Api({ token: async () => access_token, language });
}

/** Whose file is open, or whose code was scanned: of these the end of their id is told, which both can read. */
function personOf(person_id: string | undefined): { person_id: string; name: string } | null {
  if (person_id === undefined || person_id === helped.value?.person_id) return helped.value;
  return { person_id, name: says.value.assist.number(shortOf(person_id)) };
}

export function Assist({ params }: { params: Params }) {
  const { assist } = says.value;
  const id = useHelpFrom();
  const hasBranch = useBranch().id !== undefined;
  const where = useNameOf(id);
  const person = personOf(params.person_id);
  const back = hasBranch ? "/branch" : "/me";
  const [session, setSession] = useState<Session | null>(null);
  const [acting, setActing] = useState<Api | null>(null);
  const { attempt, trouble } = useAttempt();
  const take = async (next: Session): Promise<void> => {
    if (next.status === "consented") setActing(await actingFor(next));
    setSession(next);
  };
  const end = () =>
    attempt(async () => {
      setSession((await portal.api.send("POST", address(session as Session, "/end"), null, newId())) as Session);
      setActing(null);
    });
  if (person === null || id === undefined) {
    return (
      <Page title={assist.title} back={back} lead={hasBranch ? assist.first : undefined}>
        {hasBranch && <ButtonLink to="/branch/members">{says.value.today.members}</ButtonLink>}
        <Card>
          <h2>{assist.byCode}</h2>
          <ol>
            {assist.byCodeSteps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </Card>
      </Page>
    );
  }
  const isOver = session?.status === "ended" || session?.status === "lapsed";
  return (
    <Page title={assist.of(person.name)} back={back} where={where}>
      {session === null && params.person_id !== undefined && <p>{assist.compare}</p>}
      {session === null && <Asking person_id={person.person_id} branch={id} attempt={attempt} take={take} />}
      {session?.status === "asked" && <Agreeing session={session} attempt={attempt} take={take} />}
      {session && acting && <Helping api={acting} session={session} name={person.name} onEnd={end} />}
      {isOver && (
        <>
          <Notice icon={CheckCheck}>{session.status === "ended" ? assist.ended : assist.lapsed}</Notice>
          <ButtonLink to={back}>{words.value.back}</ButtonLink>
        </>
      )}
      {trouble}
    </Page>
  );
}

interface Step {
  attempt(work: () => Promise<unknown>): Promise<void>;
  take(session: Session): Promise<void>;
}

function Asking({ person_id, branch, attempt, take }: Step & { person_id: string; branch: string }) {
  const { assist } = says.value;
  const [evidence, setEvidence] = useState<Evidence>("one_time_code");
  const ask = () =>
    attempt(async () => {
      const body = { subject_id: person_id, organisation_id: branch, actions: ACTIONS, evidence };
      await take((await portal.api.send("POST", "/v1/assisted-sessions", body, newId())) as Session);
    });
  return (
    <>
      <p class="lead">{assist.lead}</p>
      <Choices
        legend={assist.how}
        value={evidence}
        options={(["one_time_code", "witness"] as const).map((value) => ({ value, label: assist.evidence[value] }))}
        onValue={setEvidence}
      />
      <NetButton wide onPress={ask}>
        {assist.ask[evidence]}
      </NetButton>
    </>
  );
}

function Agreeing({ session, attempt, take }: Step & { session: Session }) {
  const { assist } = says.value;
  const [code, setCode] = useState("");
  const isWitnessed = session.evidence === "witness";
  useEffect(() => {
    if (!isWitnessed) return;
    const look = async (): Promise<void> => {
      const path = { assist_id: session.assist_id };
      const now = await portal.api.read("/v1/assisted-sessions/{assist_id}", { path }).catch(() => session);
      if (now.status !== "asked") await attempt(() => take(now));
    };
    const timer = setInterval(look, LOOK_EVERY);
    return () => clearInterval(timer);
  }, [session.assist_id]);
  if (isWitnessed) {
    const at = `/branch/assist/${session.assist_id}/witness`;
    return (
      <>
        <p>{assist.scan}</p>
        <QrCode text={`${location.origin}${href(at)}`} title={assist.scan} />
        <p role="status">{assist.waiting}</p>
      </>
    );
  }
  const agree = () =>
    attempt(async () => take((await portal.api.send("POST", address(session, "/code"), { code }, newId())) as Session));
  return (
    <>
      <Field
        id="code"
        label={assist.code}
        hint={assist.codeHint}
        value={code}
        onValue={setCode}
        input={{ inputMode: "numeric", autocomplete: "one-time-code", maxLength: 6 }}
      />
      <NetButton wide onPress={agree}>
        {assist.begin}
      </NetButton>
    </>
  );
}

/** What a witness opens on a phone of their own. */
export function Witness({ params }: { params: Params }) {
  const { assist } = says.value;
  const [isDone, setDone] = useState(false);
  const { attempt, trouble } = useAttempt();
  const say = () =>
    attempt(async () => {
      await portal.api.send("POST", `/v1/assisted-sessions/${params.assist_id}/witness`, null, newId());
      setDone(true);
    });
  return (
    <Page title={isDone ? assist.thanks : assist.saw} back="/" lead={isDone ? undefined : assist.sawLead}>
      {trouble}
      {!isDone && (
        <NetButton wide onPress={say}>
          {assist.iSaw}
        </NetButton>
      )}
    </Page>
  );
}
