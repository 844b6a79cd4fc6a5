/** One case: what was said and answered, by when it is answered, and the word of who reported it. */

import { CheckCheck } from "lucide";
import type { components } from "#document";
import { Done, isRefused, lastAct, whyNot } from "../../components/act.tsx";
import { Button, ButtonLink } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { Deadline, Entry, Notice, Tag, type Tone } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { day, dayAndTime } from "../../shell/dates.ts";
import { keepDraft, REPORT } from "../../shell/drafts.ts";
import { portal, useReading, words } from "../../shell/portal.ts";
import { go, isShared, type Params } from "../../shell/router.ts";
import type { Op } from "../../store/database.ts";
import { usePlaces } from "./answering.ts";
import { unsentCases } from "./cases.tsx";
import { says as mine } from "./words.ts";

type Told = components["schemas"]["CaseWithEntries"];
const TONES: Record<string, Tone> = { open: "plain-tag", answered: "good", confirmed: "good" };

export function Case({ params }: { params: Params }) {
  const id = params.case_id as string;
  const unsent = unsentCases().find(({ subject_id }) => subject_id === id);
  return unsent === undefined ? <ToldCase id={id} /> : <UnsentCase op={unsent} />;
}

const named = (category: unknown): string => words.value.categories[String(category)] ?? String(category);

/** Filed here and not yet there; what was not taken can be put right and sent anew. */
function UnsentCase({ op }: { op: Op }) {
  const { cases: says } = mine.value;
  const { home, outbox } = words.value;
  const { nameOf } = usePlaces();
  const waits = op.state === "waiting" || op.state === "sending";
  const correct = async (): Promise<void> => {
    const { category, organisation_id: place, text } = op.body as Record<string, string>;
    await keepDraft(REPORT, { category, place, text });
    await portal.outbox.discard(op.op_id);
    go("/cases/new/words", "replace");
  };
  return (
    <Page title={named(op.body.category)} back="/cases" where={nameOf(String(op.body.organisation_id))}>
      <Notice wait={!waits} icon={CheckCheck}>
        <p>
          <b>{waits ? home.saved : outbox[op.state]}</b>
        </p>
        <p>{waits ? !isShared && says.kept : whyNot(op)}</p>
      </Notice>
      <Entry what={says.entries.opened ?? ""} when={dayAndTime(op.acted_at)} text={String(op.body.text)} />
      {waits ? (
        <ButtonLink second to="/cases">
          {says.title}
        </ButtonLink>
      ) : (
        <Button wide onPress={correct}>
          {says.correct}
        </Button>
      )}
    </Page>
  );
}

function ToldCase({ id }: { id: string }) {
  const told = useReading("cases", "/v1/cases/{case_id}", { path: { case_id: id } });
  const me = useReading("profile", "/v1/me");
  const { nameOf } = usePlaces();
  const { cases: says } = mine.value;
  const it = told.data;
  return (
    <Page
      title={it === undefined ? says.one : named(it.category)}
      back="/cases"
      where={it && nameOf(it.organisation_id)}
    >
      <ReadingState of={told} />
      {it !== undefined && (
        <>
          <div class="row">
            <Tag tone={TONES[it.status] ?? "plain-tag"}>{says.status[it.status] ?? it.status}</Tag>
            {it.status === "open" && <Deadline at={it.due_at} />}
          </div>
          {it.status === "open" && <p class="lead">{it.due_provisionally ? says.mayMove : says.waits}</p>}
          <Entries of={it} />
          {it.status === "answered" && it.reporter_id === me.data?.person_id && <LastWord on={it} />}
        </>
      )}
    </Page>
  );
}

function Entries({ of }: { of: Told }) {
  const { cases: says } = mine.value;
  const last = of.entries.length - 1;
  return (
    <>
      {of.entries.map(({ kind, at, text }, position) => (
        <Entry
          key={`${kind} ${at}`}
          what={says.entries[kind] ?? kind}
          when={day(at)}
          text={text}
          due={kind === "answered" && position === last}
        />
      ))}
    </>
  );
}

/** The reporter says whether that settles it; what is not settled is reported again, with a new day. */
function LastWord({ on }: { on: Told }) {
  const { cases: says } = mine.value;
  const { acts } = words.value;
  const op = lastAct("case.confirm", on.case_id);
  if (op !== undefined && !isRefused(op)) return <Done what={acts.feedback_confirm_answer ?? ""} act={op} />;
  const about = named(on.category);
  const again = async (): Promise<void> => {
    await keepDraft(REPORT, { category: on.category, place: on.organisation_id });
    go("/cases/new/words");
  };
  return (
    <>
      <Button wide onPress={() => portal.outbox.add({ kind: "case.confirm", subject_id: on.case_id, about })}>
        {acts.feedback_confirm_answer}
      </Button>
      <Button wide second onPress={again}>
        {says.again}
      </Button>
      <p class="small">{says.againLead}</p>
    </>
  );
}
