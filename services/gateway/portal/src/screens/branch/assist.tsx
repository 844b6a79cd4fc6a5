/** 帮人办事: asking somebody, their consent by a code or before a witness, half an hour of acting for them, the end. */

import { signal } from "@preact/signals";
import { CheckCheck } from "lucide";
import { useEffect, useState } from "preact/hooks";
import type { components } from "#document";
import { Api } from "../../api/client.ts";
import { Refused, type Trouble, troubleOf } from "../../api/problems.ts";
import { ButtonLink } from "../../components/buttons.tsx";
import { Choices, Field } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Notice } from "../../components/surfaces.tsx";
import { TroubleNotice } from "../../components/trouble.tsx";
import { portal, preferences } from "../../shell/portal.ts";
import { href, type Params } from "../../shell/router.ts";
import { newId } from "../../store/ids.ts";
import { Helping } from "./helping.tsx";
import { NetButton, Qr, useBranch, useNameOf } from "./office.tsx";
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
  const answer = await fetch("/oauth2/token", { method: "POST", body });
  if (!answer.ok) throw new Refused({ title: says.value.assist.notExchanged }, answer.status);
  const { access_token } = await answer.json();
  const language = () => (preferences.value.language === "zh" ? "zh-CN" : "en");
  return new Api({ token: async () => access_token, language });
}

export function Assist() {
  const { assist } = says.value;
  const { id } = useBranch();
  const where = useNameOf(id);
  const person = helped.value;
  const [session, setSession] = useState<Session | null>(null);
  const [acting, setActing] = useState<Api | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    setTrouble(null);
    await what().catch((error) => setTrouble(troubleOf(error)));
  };
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
      <Page title={assist.title} back="/branch" lead={assist.first}>
        <ButtonLink to="/branch/members">{says.value.today.members}</ButtonLink>
      </Page>
    );
  }
  const isOver = session?.status === "ended" || session?.status === "lapsed";
  return (
    <Page title={assist.of(person.name)} back="/branch" where={where}>
      {session === null && <Asking person_id={person.person_id} branch={id} attempt={attempt} take={take} />}
      {session?.status === "asked" && <Agreeing session={session} attempt={attempt} take={take} />}
      {session && acting && <Helping api={acting} session={session} name={person.name} onEnd={end} />}
      {isOver && (
        <>
          <Notice icon={CheckCheck}>
            <p>{session.status === "ended" ? assist.ended : assist.lapsed}</p>
          </Notice>
          <ButtonLink to="/branch">{says.value.plan.back}</ButtonLink>
        </>
      )}
      {trouble !== null && <TroubleNotice trouble={trouble} />}
    </Page>
  );
}

interface Step {
  attempt(what: () => Promise<void>): Promise<void>;
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
        <Qr text={`${location.origin}${href(at)}`} title={assist.scan} />
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
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const say = async (): Promise<void> => {
    setTrouble(null);
    try {
      await portal.api.send("POST", `/v1/assisted-sessions/${params.assist_id}/witness`, null, newId());
      setDone(true);
    } catch (error) {
      setTrouble(troubleOf(error));
    }
  };
  return (
    <Page title={isDone ? assist.thanks : assist.saw} back="/" lead={isDone ? undefined : assist.sawLead}>
      {trouble !== null && <TroubleNotice trouble={trouble} />}
      {!isDone && (
        <NetButton wide onPress={say}>
          {assist.iSaw}
        </NetButton>
      )}
    </Page>
  );
}
