/** Home: what is to be done, by one tap where that is enough; what is to be read; what waits for others. */

import { CalendarDays, Clock } from "lucide";
import type { components } from "#document";
import { actName, Done, isRefused } from "../components/act.tsx";
import { Button, ButtonLink, Link } from "../components/buttons.tsx";
import { Page } from "../components/page.tsx";
import { Card, Deadline, List, ListRow, Notice } from "../components/surfaces.tsx";
import { ReadingState, useMore } from "../components/trouble.tsx";
import { day, dayAndTime } from "../shell/dates.ts";
import { keepDraft, REPORT } from "../shell/drafts.ts";
import { portal, preferences, useReading, words } from "../shell/portal.ts";
import { go, isBuilt } from "../shell/router.ts";
import type { Op } from "../store/database.ts";

type Item = components["schemas"]["HomeItemOut"];
type Action = Item["actions"][number];
/** What of a subject is shown here, whatever its kind. */
interface Subject {
  title?: string;
  place?: string | null;
  starts_at?: string;
  category?: string;
  /** Where those who are elsewhere take part; null where nobody does. */
  join_url?: string | null;
}

const FIRST = 30;
/** What is done for a branch has its screens below the branch's. */
const OF_BRANCH = new Set(["case.answer", "learner.help"]);
/** Acts that can be sent later, by the operation that carries them out. */
const KINDS: Record<string, string> = {
  activities_register: "register",
  activities_report_attendance: "attend",
  feedback_confirm_answer: "case.confirm",
};

/** A case that a restore lost: there is none to see, and it is said again. */
const LOST = "case.tell_again";

export function Home() {
  const [limit, more] = useMore(FIRST);
  const home = useReading("home", "/v1/home", { query: { order: "due", include: "subject", limit } });
  const items = home.data?.items ?? [];
  const of = (section: Item["section"]): Item[] => items.filter((item) => item.section === section);
  const { home: says } = words.value;
  const todo = of("todo");
  const isClear = home.data !== undefined && todo.length === 0;
  return (
    <Page
      title={isClear ? says.nothing : home.data === undefined ? words.value.tabs.home : says.todo(todo.length)}
      lead={isClear ? says.nothingLead : undefined}
      where={todo[0]?.organisation_name ?? undefined}
    >
      <ReadingState of={home} />
      {home.data !== undefined && home.data.stale.length > 0 && <Notice icon={Clock}>{says.stale}</Notice>}
      {todo.map((item) => (
        <ItemCard key={item.key} item={item} heading="h2" />
      ))}
      <Section title={says.read} items={of("read")} />
      <Section title={says.waiting} items={of("waiting")} />
      {more(home)}
      {home.data !== undefined && (
        <List>
          <ListRow icon={CalendarDays} title={words.value.activities.all} to="/activities" />
        </List>
      )}
    </Page>
  );
}

function Section({ title, items }: { title: string; items: readonly Item[] }) {
  if (items.length === 0) return null;
  return (
    <>
      <h2>{title}</h2>
      {items.map((item) => (
        <ItemCard key={item.key} item={item} heading="h3" />
      ))}
    </>
  );
}

export function ItemCard({ item, heading: Heading }: { item: Item; heading: "h2" | "h3" }) {
  const subject = (item.subject ?? {}) as Subject;
  const kind = item.title[preferences.value.language];
  const facts = item.facts as Record<string, unknown>;
  const category = subject.category ?? (facts.category as string | undefined);
  const title = subject.title ?? (category === undefined ? kind : (words.value.categories[category] ?? category));
  const about = [
    subject.starts_at && dayAndTime(subject.starts_at),
    subject.place,
    category && words.value.home.since(day(item.since), facts.status === "answered"),
    Array.isArray(facts.lesson_ids) && words.value.home.lessons(facts.lesson_ids.length),
  ].filter(Boolean);
  const address = item.href.replace(/^\/v1/, OF_BRANCH.has(item.kind) ? "/branch" : "").replace(/\?.*/, "");
  return (
    <Card due={item.section === "todo" && item.due_at !== null}>
      <div class="row apart">
        {item.due_at !== null && <Deadline at={item.due_at} dated={subject.starts_at !== undefined} />}
        {!kind.includes(title) && <span class="small">{kind}</span>}
      </div>
      <Heading>{title}</Heading>
      {about.length > 0 && <p>{about.join(" · ")}</p>}
      <Acts item={item} about={title} address={address} />
    </Card>
  );
}

/** Begins a report under the lost case's id, with what is known of it: its words are to be said again. */
async function sayAgain({ actions, subject_id }: Item): Promise<void> {
  const known = actions[0]?.body as { category: string; organisation_id: string };
  await keepDraft(REPORT, { id: subject_id, category: known.category, place: known.organisation_id, text: "" });
  go("/cases/new/words");
}

/**
 * The buttons of an item: what needs no words is done by one tap, and sent later where there is no network. What is decided
 * about others is not done here: its screen says what it is about, and asks.
 */
function Acts({ item, about, address }: { item: Item; about: string; address: string }) {
  const { acts, home } = words.value;
  const isFromElsewhere = (item.subject as Subject | null)?.join_url !== null;
  const offered = item.actions.filter(
    ({ operation_id, body, needs }) =>
      KINDS[operation_id] !== undefined && needs.length === 0 && (body?.mode !== "remote" || isFromElsewhere),
  );
  const isOf = (op: Op) => (action: Action) => KINDS[action.operation_id] === op.kind;
  const done = portal.outbox.ops.value.find(
    (op) => op.subject_id === item.subject_id && !isRefused(op) && offered.some(isOf(op)),
  );
  const isDone = (action: Action): boolean =>
    done !== undefined && isOf(done)(action) && action.body?.mode === done.body.mode;
  return (
    <div class="row">
      {done !== undefined && (
        <Done what={acts[actName(offered.find(isDone) ?? (offered[0] as Action))] ?? ""} act={done} />
      )}
      {done === undefined &&
        offered.map((action, at) => (
          <Button
            key={actName(action)}
            second={at > 0}
            onPress={() =>
              portal.outbox.add({
                kind: KINDS[action.operation_id] as string,
                subject_id: item.subject_id,
                body: action.body ?? {},
                about,
              })
            }
          >
            {acts[actName(action)]}
          </Button>
        ))}
      {item.kind === LOST && <Button onPress={() => sayAgain(item)}>{home.sayAgain}</Button>}
      {item.kind !== LOST &&
        isBuilt(address) &&
        (offered.length === 0 && item.section === "todo" ? (
          <ButtonLink to={address}>{acts[item.actions[0]?.operation_id ?? ""] ?? home.see}</ButtonLink>
        ) : (
          <Link to={address}>{home.see}</Link>
        ))}
    </div>
  );
}
