/** Answering a case: until when, what was said so far, and the branch's words. */

import { useState } from "preact/hooks";
import { ButtonLink } from "../../components/buttons.tsx";
import { ErrorSummary, Field } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Deadline, Entry, Notice } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { useDraft } from "../../shell/drafts.ts";
import { portal, useReading, useUnstored } from "../../shell/portal.ts";
import type { Params } from "../../shell/router.ts";
import { newId } from "../../store/ids.ts";
import { NetButton } from "./office.tsx";
import { categoryOf } from "./today.tsx";
import { says } from "./words.ts";

const LONGEST = 4000;

export function AnswerCase({ params }: { params: Params }) {
  const { answer } = says.value;
  const case_id = params.case_id as string;
  const [turn, setTurn] = useState(0);
  const found = useUnstored("/v1/cases/{case_id}", { path: { case_id } }, turn);
  const told = found.data;
  const category = told && categoryOf(told.category);
  return (
    <Page title={category ? answer.about(category) : answer.title} back="/branch">
      <ReadingState of={found} />
      {told?.status === "open" && (
        <div class="row">
          <Deadline at={told.due_at} />
        </div>
      )}
      {told?.entries.map((entry) => (
        <Entry
          key={`${entry.kind} ${entry.at}`}
          what={answer.entries[entry.kind] ?? entry.kind}
          when={dayAndTime(entry.at)}
          text={entry.text}
        />
      ))}
      {told?.status === "open" && <Writing case_id={case_id} onDone={() => setTurn(turn + 1)} />}
      {told !== undefined && told.status !== "open" && <Answered isNow={turn > 0} />}
    </Page>
  );
}

function Writing({ case_id, onDone }: { case_id: string; onDone: () => void }) {
  const { answer } = says.value;
  const [draft, keep] = useDraft<string>(`answer ${case_id}`);
  const text = draft ?? "";
  const [key] = useState(newId);
  const [isEmpty, setEmpty] = useState(false);
  const { attempt, trouble } = useAttempt();
  const send = async (): Promise<void> => {
    setEmpty(text.trim() === "");
    if (text.trim() === "") return;
    await attempt(async () => {
      await portal.api.send("POST", `/v1/cases/${case_id}/answers`, { text: text.trim() }, key);
      await keep(null);
      onDone();
      await portal.subjects.refresh();
    });
  };
  return (
    <>
      {isEmpty && <ErrorSummary faults={[{ id: "answer", text: answer.empty }]} />}
      <Field
        id="answer"
        label={answer.write}
        hint={answer.hint}
        value={text}
        onValue={keep}
        rows={5}
        fault={isEmpty ? answer.empty : undefined}
        input={{ maxLength: LONGEST }}
      />
      {trouble}
      <NetButton wide onPress={send}>
        {answer.send}
      </NetButton>
    </>
  );
}

function Answered({ isNow }: { isNow: boolean }) {
  const { answer } = says.value;
  const home = useReading("home", "/v1/home", { query: { section: "todo", order: "due", limit: 200 } });
  const here = location.pathname;
  const next = home.data?.items.find(({ kind, subject_id }) => kind === "case.answer" && !here.includes(subject_id));
  return (
    <>
      <Notice>{isNow ? answer.done : answer.wasAnswered}</Notice>
      {next && <ButtonLink to={`/branch/cases/${next.subject_id}`}>{answer.next}</ButtonLink>}
      <ButtonLink to="/branch" second={next !== undefined}>
        {answer.back}
      </ButtonLink>
    </>
  );
}
