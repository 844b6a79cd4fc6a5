/** 学习: courses that are open to somebody, those they have not finished first, and one with its lessons. */

import { Download } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { type AnswerOf, addressOf } from "../api/client.ts";
import type { Trouble } from "../api/problems.ts";
import { Done } from "../components/act.tsx";
import { Button, ButtonLink } from "../components/buttons.tsx";
import { Icon } from "../components/icon.tsx";
import { Page } from "../components/page.tsx";
import { List, ListRow, Notice } from "../components/surfaces.tsx";
import { ReadingState, TroubleNotice, useMore } from "../components/trouble.tsx";
import { portal, useReading, useWatching, words } from "../shell/portal.ts";
import { isShared, type Params } from "../shell/router.ts";
import { STUDY, standingOf } from "./lesson.tsx";

type Summary = AnswerOf<"/v1/courses">["items"][number];
type LessonRow = AnswerOf<"/v1/courses/{course_id}">["lessons"][number];

const FIRST = 50;
const MOST = 200;
/** Of a course with very many lessons, how many show how far one is: each is asked for by itself. */
const FOLLOWED = 30;

export function Courses() {
  const { courses: says } = words.value;
  const [limit, more] = useMore(FIRST);
  const courses = useReading("courses", "/v1/courses", { query: { limit } });
  const toRead = useReading("home", "/v1/home", { query: { section: "read", limit: MOST } });
  const open = new Set(toRead.data?.items.map(({ subject_id }) => subject_id));
  // Not before it is known what stands where: no row moves away under a finger.
  const isKnown = toRead.data !== undefined || toRead.trouble !== undefined;
  const all = (isKnown && courses.data?.items) || [];
  const isEmpty = courses.data?.items.length === 0;
  const [unfinished, others] = [
    all.filter((each) => open.has(each.course_id)),
    all.filter((each) => !open.has(each.course_id)),
  ];
  return (
    <Page title={words.value.tabs.learn} lead={isEmpty ? says.nothing : undefined}>
      <ReadingState of={courses} />
      {isEmpty && <ButtonLink to="/">{words.value.missing.home}</ButtonLink>}
      {unfinished.length > 0 && <h2>{says.unfinished}</h2>}
      <CourseRows courses={unfinished} />
      {unfinished.length > 0 && others.length > 0 && <h2>{says.others}</h2>}
      <CourseRows courses={others} />
      {more(courses)}
    </Page>
  );
}

function CourseRows({ courses }: { courses: readonly Summary[] }) {
  if (courses.length === 0) return null;
  return (
    <List>
      {courses.map(({ course_id, title }) => (
        <ListRow key={course_id} title={title} to={`/courses/${course_id}`} />
      ))}
    </List>
  );
}

export function Course({ params }: { params: Params }) {
  const { courses: says } = words.value;
  const course_id = params.course_id ?? "";
  const course = useReading("courses", "/v1/courses/{course_id}", { path: { course_id } });
  const lessons = course.data?.lessons ?? [];
  const isRenewed = course.data !== undefined && course.data.newest_edition > course.data.edition;
  return (
    <Page
      title={course.data?.title ?? says.one}
      back="/courses"
      lead={course.data && words.value.home.lessons(lessons.length)}
    >
      <ReadingState of={course} />
      {isRenewed && <Notice>{says.renewed}</Notice>}
      {course.data && <Lessons lessons={lessons} />}
    </Page>
  );
}

function Lessons({ lessons }: { lessons: readonly LessonRow[] }) {
  const { courses: says } = words.value;
  const followed = lessons.slice(0, FOLLOWED);
  useWatching(
    "courses",
    followed.map((path) => addressOf(STUDY, { path })),
  );
  const standings = new Map(
    followed.map((path) => [
      path.lesson_id,
      standingOf(path.lesson_id, portal.subjects.at("courses", STUDY, { path }).value),
    ]),
  );
  const next = lessons.find(({ lesson_id }) => !standings.get(lesson_id)?.completed) ?? lessons[0];
  const hasBegun = [...standings.values()].some(({ completed, word }) => completed || word !== null);
  return (
    <>
      {next && <ButtonLink to={`/lessons/${next.lesson_id}`}>{hasBegun ? says.goOn : says.begin}</ButtonLink>}
      <List>
        {lessons.map(({ lesson_id, position, title, kind }) => {
          const standing = standings.get(lesson_id);
          const said = standing?.word ? words.value.lesson.said[standing.word] : standing?.completed && says.finished;
          const lead = [words.value.lesson.number(position), words.value.lesson.kinds[kind], said].filter(Boolean);
          return <ListRow key={lesson_id} title={title} lead={lead.join(" · ")} to={`/lessons/${lesson_id}`} />;
        })}
      </List>
      {!isShared && <Keep lessons={lessons} />}
    </>
  );
}

/** Brings all lessons onto the phone, so that they are there without a network. */
function Keep({ lessons }: { lessons: readonly LessonRow[] }) {
  const { courses: says } = words.value;
  const [missing, setMissing] = useState<readonly string[]>([]);
  const [isLooked, setLooked] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  const addresses = lessons.map((path) => addressOf("/v1/lessons/{lesson_id}", { path }));
  const look = async (): Promise<void> => {
    const kept = await Promise.all(addresses.map((address) => portal.database.getKey("subject", ["courses", address])));
    setMissing(addresses.filter((_, at) => kept[at] === undefined));
    setLooked(true);
  };
  useEffect(() => void look(), [addresses.join()]);
  const keep = async (): Promise<void> => {
    setTrouble(undefined);
    for (const address of missing) {
      const { trouble } = await portal.subjects.store("courses", address);
      if (trouble === undefined) continue;
      setTrouble(trouble);
      break;
    }
    await look();
  };
  if (!isLooked) return null;
  if (missing.length === 0) return <Done what={says.kept} />;
  return (
    <>
      <p class="lead">{says.keepLead}</p>
      <Button second onPress={keep}>
        <Icon of={Download} />
        {says.keep}
      </Button>
      {trouble && <TroubleNotice trouble={trouble} />}
    </>
  );
}
