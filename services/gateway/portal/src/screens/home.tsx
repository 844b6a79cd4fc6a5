/** Home: what is to be done, by one tap where that is enough; what is to be read; what waits for others. */

import { CalendarDays, Clock } from "lucide";
import { useState } from "preact/hooks";
import type { components } from "#document";
import { type Trouble, troubleOf } from "../api/problems.ts";
import { Done } from "../components/act.tsx";
import { Button, Link } from "../components/buttons.tsx";
import { Page } from "../components/page.tsx";
import { Card, Deadline, List, ListRow, Notice } from "../components/surfaces.tsx";
import { ReadingState, TroubleNotice } from "../components/trouble.tsx";
import { day, dayAndTime } from "../shell/dates.ts";
import { portal, preferences, useReading, words } from "../shell/portal.ts";
import { isBuilt } from "../shell/router.ts";
import { newId } from "../store/ids.ts";

type Item = components["schemas"]["HomeItemOut"];
type Action = Item["actions"][number];
/** What of a subject is shown here, whatever its kind. */
interface Subject {
  title?: string;
  place?: string | null;
  starts_at?: string;
  category?: string;
}

const FIRST = 30;
const MOST = 200;
/** What is done for a branch has its screens below the branch's. */
const OF_BRANCH = new Set(["case.answer", "learner.help"]);
/** Acts that can be sent later, by the operation that carries them out. */
const KINDS: Record<string, string> = {
  activities_register: "register",
  activities_report_attendance: "attend",
  feedback_confirm_answer: "case.confirm",
};

export function Home() {
  const [limit, setLimit] = useState(FIRST);
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
      {home.data?.next_cursor != null && limit < MOST && (
        <Button second wide onPress={() => setLimit(MOST)}>
          {words.value.more}
        </Button>
      )}
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

function ItemCard({ item, heading: Heading }: { item: Item; heading: "h2" | "h3" }) {
  const subject = (item.subject ?? {}) as Subject;
  const kind = item.title[preferences.value.language];
  const title = subject.title ?? kind;
  const facts = item.facts as Record<string, unknown>;
  const about = [
    subject.starts_at && dayAndTime(subject.starts_at),
    subject.place,
    subject.category && (words.value.categories[subject.category] ?? subject.category),
    subject.category && day(item.since),
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
      <Acts item={item} about={title}>
        {isBuilt(address) && <Link to={address}>{words.value.home.see}</Link>}
      </Acts>
    </Card>
  );
}

/** The buttons of an item: what needs no words is done by one tap, queued where the system takes it later. */
function Acts({ item, about, children }: { item: Item; about: string; children: preact.ComponentChildren }) {
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { acts } = words.value;
  const done = portal.outbox.ops.value.filter((op) => op.subject_id === item.subject_id && op.state !== "refused");
  const offered = item.actions.filter(
    ({ operation_id, needs }) => needs.length === 0 && acts[operation_id] !== undefined,
  );
  const act = async (action: Action): Promise<void> => {
    const kind = KINDS[action.operation_id];
    setTrouble(null);
    if (kind !== undefined) {
      await portal.outbox.add({ kind, subject_id: item.subject_id, body: action.body ?? {}, about });
      return;
    }
    try {
      await portal.api.send(action.method as "POST", action.href, action.body, newId());
      await portal.subjects.refresh();
    } catch (error) {
      setTrouble(troubleOf(error));
    }
  };
  return (
    <>
      <div class="row">
        {offered.map((action, at) => {
          const op = done.find((each) => each.kind === KINDS[action.operation_id]);
          return op === undefined ? (
            <Button key={action.operation_id} second={at > 0} onPress={() => act(action)}>
              {acts[action.operation_id]}
            </Button>
          ) : (
            <Done key={action.operation_id} what={acts[action.operation_id] ?? ""} act={op} />
          );
        })}
        {children}
      </div>
      {trouble !== null && <TroubleNotice trouble={trouble} />}
    </>
  );
}
