/** Reporting something in four steps, each an address: what, where, in which words, and a look at all of it. */

import { useEffect, useState } from "preact/hooks";
import { Button, ButtonLink } from "../../components/buttons.tsx";
import { ErrorSummary, Field } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { Steps } from "../../components/steps.tsx";
import { Card, Facts } from "../../components/surfaces.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { day } from "../../shell/dates.ts";
import { REPORT, useDraft } from "../../shell/drafts.ts";
import { portal, words } from "../../shell/portal.ts";
import { go, isShared, type Params } from "../../shell/router.ts";
import { newId } from "../../store/ids.ts";
import { type Answering, useAnswering, usePlaces } from "./answering.ts";
import { says as mine } from "./words.ts";

const STEPS = ["what", "where", "words", "check"] as const;
const LONGEST = 4000;
const ABOUT = 40;

export interface Draft {
  /** Of a case that was lost, and is said again under its id. */
  id?: string | undefined;
  category?: string;
  place?: string;
  text?: string;
}

export function Report({ params }: { params: Params }) {
  const [draft, keep] = useDraft<Draft>(REPORT);
  if (draft === undefined) return null;
  const now = draft ?? {};
  const asked = Math.max(0, STEPS.indexOf((params.step ?? "what") as (typeof STEPS)[number]));
  const missing = [now.category, now.place, now.text?.trim()].findIndex((each) => !each);
  const at = missing < 0 ? asked : Math.min(asked, missing);
  const Step = [What, Where, Words, Check][at] as typeof What;
  return <Step now={now} at={at} keep={keep} />;
}

interface StepProps {
  now: Draft;
  at: number;
  keep(draft: Draft | null): Promise<void>;
}

const address = (at: number): string => (at === 0 ? "/cases/new" : `/cases/new/${STEPS[at]}`);

function StepPage({ at, children }: { at: number; children: preact.ComponentChildren }) {
  return (
    <Page title={mine.value.report[STEPS[at] ?? "what"]} back={at === 0 ? "/cases" : address(at - 1)}>
      <Steps at={at + 1} of={STEPS.length} />
      {children}
    </Page>
  );
}

/** Chooses by one press and goes on. */
function Options(props: StepProps & { name: "category" | "place"; options: readonly [string, string][] }) {
  const choose = async (value: string): Promise<void> => {
    await props.keep({ ...props.now, [props.name]: value, id: undefined });
    go(address(props.at + 1));
  };
  return (
    <>
      {props.options.map(([value, label]) => (
        <button
          type="button"
          class="choice"
          key={value}
          aria-pressed={props.now[props.name] === value}
          onClick={() => void choose(value)}
        >
          {label}
        </button>
      ))}
    </>
  );
}

function What(step: StepProps) {
  const { reading, categories } = useAnswering(step.now.place);
  const named = categories.map((each): [string, string] => [each, words.value.categories[each] ?? each]);
  return (
    <StepPage at={step.at}>
      <ReadingState of={reading} />
      <Options name="category" options={named} {...step} />
    </StepPage>
  );
}

function Where(step: StepProps) {
  const { places, reading, isKnown } = usePlaces();
  const { report: says } = mine.value;
  if (places.length === 0 && isKnown) {
    return (
      <Page title={says.noPlace} lead={says.noPlaceLead} back={address(0)}>
        <ButtonLink to="/">{words.value.missing.home}</ButtonLink>
      </Page>
    );
  }
  return (
    <StepPage at={step.at}>
      {places.length === 0 && <ReadingState of={reading} />}
      <Options name="place" options={places.map(({ id, name }) => [id, name])} {...step} />
    </StepPage>
  );
}

function Words({ now, at, keep }: StepProps) {
  const { report: says } = mine.value;
  const { next } = words.value;
  const [faults, setFaults] = useState<{ id: string; text: string }[]>([]);
  useEffect(() => {
    const focusing = requestAnimationFrame(() => document.getElementById("text")?.focus());
    return () => cancelAnimationFrame(focusing);
  }, []);
  const goOn = (): void => {
    if (now.text?.trim()) go(address(at + 1));
    else setFaults([{ id: "text", text: says.nothing }]);
  };
  return (
    <StepPage at={at}>
      <ErrorSummary faults={faults} />
      <Field
        id="text"
        label={says.yourWords}
        hint={says.hint}
        rows={5}
        value={now.text ?? ""}
        fault={faults[0]?.text}
        input={{ maxLength: LONGEST }}
        onValue={(text) => void keep({ ...now, text })}
      />
      <Button wide onPress={goOn}>
        {next}
      </Button>
    </StepPage>
  );
}

function Check({ now, at, keep }: StepProps) {
  const { report: says } = mine.value;
  const { categories } = words.value;
  const { nameOf } = usePlaces();
  const { answering } = useAnswering(now.place);
  const { category, place, text } = now as Required<Omit<Draft, "id">>;
  const told = answering(category) || undefined;
  const send = async (): Promise<void> => {
    const subject_id = now.id ?? newId();
    const body = { category, organisation_id: place, text: text.trim() };
    await portal.outbox.add({ kind: "case.open", subject_id, body, about: text.trim().slice(0, ABOUT) });
    await keep(null);
    go(`/cases/${subject_id}`, "replace");
  };
  return (
    <StepPage at={at}>
      <Card>
        <Facts
          of={[
            [says.facts.what, categories[category] ?? category],
            [says.facts.where, nameOf(place)],
            [says.facts.words, text],
            [says.facts.who, told && (nameOf(told.by ?? "") ?? says.above)],
            [says.facts.until, told && until(told)],
          ]}
        />
      </Card>
      <Button wide onPress={send}>
        {says.send}
      </Button>
      {!isShared && <p class="small">{says.later}</p>}
    </StepPage>
  );
}

/** The day is ours to reckon until the case is filed: weekends are, holidays that move are not. */
function until({ days, until: last, atMost }: Answering): string {
  return mine.value.report[atMost ? "atMost" : "within"](days, day(last));
}
