/** A lesson: read it, have it read aloud, open what is elsewhere, and say whether it was understood. */

import type { AnswerOf } from "../api/client.ts";
import { Done, isRefused, lastAct } from "../components/act.tsx";
import { Button, ButtonLink } from "../components/buttons.tsx";
import { Page } from "../components/page.tsx";
import { ReadAloud } from "../components/read-aloud.tsx";
import { Card } from "../components/surfaces.tsx";
import { ReadingState } from "../components/trouble.tsx";
import { portal, useReading, words } from "../shell/portal.ts";
import type { Params } from "../shell/router.ts";
import type { Op } from "../store/database.ts";
import type { Reading } from "../store/subjects.ts";

type LessonShown = AnswerOf<"/v1/lessons/{lesson_id}">;
type Word = "understood" | "need_help";

export const STUDY = "/v1/lessons/{lesson_id}/progress";

interface Standing {
  completed: boolean;
  word: Word | null;
  /** The act by which it was said, as long as the system does not tell of it. */
  act?: Op | undefined;
}

/** Where somebody stands with a lesson: as the system tells, and over that what was done here meanwhile. */
export function standingOf(lesson_id: string, { data, seenAt }: Reading<AnswerOf<typeof STUDY>>): Standing {
  const told = { completed: data?.completed ?? false, word: (data?.understanding ?? null) as Word | null };
  const here = (kind: string): Op | undefined => {
    const act = lastAct(kind, lesson_id, seenAt);
    return isRefused(act) ? undefined : act;
  };
  const [said, reached] = [here("understanding"), here("progress")];
  return {
    completed: told.completed || reached?.body.progress === 100,
    word: (said?.body.understanding as Word | undefined) ?? told.word,
    act: said,
  };
}

export function Lesson({ params }: { params: Params }) {
  const { lesson: says } = words.value;
  const lesson_id = params.lesson_id ?? "";
  const reading = useReading("courses", "/v1/lessons/{lesson_id}", { path: { lesson_id } });
  const lesson = reading.data;
  return (
    <Page
      title={lesson?.title ?? says.one}
      back={lesson ? `/courses/${lesson.course_id}` : "/courses"}
      lead={lesson && says.number(lesson.position)}
    >
      <ReadingState of={reading} />
      {lesson && (
        <>
          <Content lesson={lesson} />
          <Understanding lesson={lesson} />
        </>
      )}
    </Page>
  );
}

function Content({ lesson: { title, kind, body, url } }: { lesson: LessonShown }) {
  const { lesson: says } = words.value;
  return (
    <>
      {body && (
        <>
          <div class="row">
            <ReadAloud text={`${title}\n${body}`} />
          </div>
          <div class="prose">
            {body.split(/\n+/).map((paragraph, at) => (
              <p key={at}>{paragraph}</p>
            ))}
          </div>
        </>
      )}
      {url && (
        <>
          <p class="lead">{says.elsewhere}</p>
          <ButtonLink second address={url}>
            {says.open[kind] ?? says.open.text}
          </ButtonLink>
        </>
      )}
    </>
  );
}

/** What was understood is done with; whoever needs help is heard, and may still say that it is clear by now. */
function Understanding({ lesson: { lesson_id, course_id, title } }: { lesson: LessonShown }) {
  const { lesson: says } = words.value;
  const study = useReading("courses", STUDY, { path: { lesson_id } });
  const course = useReading("courses", "/v1/courses/{course_id}", { path: { course_id } });
  const { word, act } = standingOf(lesson_id, study);
  const lessons = course.data?.lessons ?? [];
  const next = lessons[lessons.findIndex((each) => each.lesson_id === lesson_id) + 1];
  const say = async (understanding: Word): Promise<void> => {
    const act = { subject_id: lesson_id, about: title };
    if (understanding === "understood") await portal.outbox.add({ ...act, kind: "progress", body: { progress: 100 } });
    await portal.outbox.add({ ...act, kind: "understanding", body: { understanding } });
  };
  return (
    <>
      <Card>
        <h2>{says.ask}</h2>
        {word !== null && <Done what={says.said[word]} act={act} />}
        {word === "need_help" && <p>{says.helpComes}</p>}
        <div class="row">
          {word !== "understood" && <Button onPress={() => say("understood")}>{says.understood}</Button>}
          {word !== "need_help" && (
            <Button second onPress={() => say("need_help")}>
              {says.help}
            </Button>
          )}
        </div>
      </Card>
      {word !== null && next && (
        <ButtonLink second={word !== "understood"} to={`/lessons/${next.lesson_id}`}>
          {says.next}
        </ButtonLink>
      )}
      {word !== null && !next && course.data && (
        <ButtonLink second to="/courses">
          {says.otherCourses}
        </ButtonLink>
      )}
    </>
  );
}
