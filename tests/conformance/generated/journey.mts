// The journey of tests/flows/test_journey.py through the client that openapi-typescript and openapi-fetch make.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Item = components["schemas"]["HomeItemOut"];
type Told = { url: string; tokens: Record<string, string>; county: string; beside: string; branch: string; away: string };

export async function journey(told: Told): Promise<void> {
  const as = (name: string): Client<paths> =>
    createClient<paths>({ baseUrl: told.url, headers: { Authorization: `Bearer ${told.tokens[name]}` } });
  const [officer, neighbour, secretary] = [as("officer.demo"), as("officer.neighbour"), as("secretary.demo")];
  const [away, member, villager] = [as("away.demo"), as("member.demo"), as("villager.demo")];

  const here = { params: { path: { organisation_id: told.county } } };
  right((await good(officer.GET("/v1/organisations/{organisation_id}", here))).name.length > 0);
  const hidden = await neighbour.GET("/v1/organisations/{organisation_id}", here);
  right(hidden.error?.type === "/problems/not_found" && hidden.response.status === 404);
  const listing = { params: { query: { organisation_id: told.branch } } };
  right((await member.GET("/v1/members", listing)).error?.type === "/problems/permission_missing");
  done("the own subtree and nothing beside it");

  const starts = Date.now();
  const meeting = await good(secretary.POST("/v1/activities", {
    body: {
      organisation_id: told.branch, kind: "branch_meeting", title: "支部党员大会",
      starts_at: new Date(starts).toISOString(), ends_at: new Date(starts + 7_200_000).toISOString(),
    },
  }));
  const toAttend = await onTheHome(away, (item) => item.subject_id === meeting.activity_id);
  right(toAttend.kind === "activity.attend" && (toAttend.facts as components["schemas"]["ActivityFacts"]).activity_kind === meeting.kind);
  const there = { params: { path: { activity_id: meeting.activity_id } } };
  const attended = await good(away.POST("/v1/activities/{activity_id}/attendances", { ...there, body: { mode: "remote" } }));
  const sheet = await good(secretary.POST("/v1/activities/{activity_id}/attendance-sheets", { ...there, body: { person_ids: [told.away] } }));
  right(sheet.recorded === 1 && sheet.rows[0]?.participation_id === attended.participation_id);
  const parts = await good(secretary.GET("/v1/activities/{activity_id}/participations", there));
  right(parts.items.length === 1 && parts.items[0]?.provenance.join() === "online,paper");
  done("one attendance, online and on paper");

  const course = (await good(member.GET("/v1/courses"))).items[0];
  const shown = await good(member.GET("/v1/courses/{course_id}", { params: { path: { course_id: course!.course_id } } }));
  const lesson = { params: { path: { lesson_id: shown.lessons[0]!.lesson_id } } };
  await good(member.PUT("/v1/lessons/{lesson_id}/progress", { ...lesson, body: { progress: 60 } }));
  right((await good(member.PUT("/v1/lessons/{lesson_id}/progress", { ...lesson, body: { progress: 40 } }))).progress >= 60);
  await good(member.POST("/v1/lessons/{lesson_id}/understanding", { ...lesson, body: { understanding: "need_help" } }));
  await onTheHome(secretary, (item) => item.kind === "learner.help" && item.subject_id === lesson.params.path.lesson_id);
  await good(member.POST("/v1/lessons/{lesson_id}/understanding", { ...lesson, body: { understanding: "understood" } }));
  done("help that reaches the branch");

  const body = { case_id: told.county.slice(0, 24) + Date.now().toString().slice(-12), category: "roads", organisation_id: told.branch, text: "村口的路坏了" };
  const brought = await good(villager.POST("/v1/cases", { body }));
  right((await good(villager.POST("/v1/cases", { body }))).case_id === brought.case_id);
  const its = { params: { path: { case_id: brought.case_id } } };
  await onTheHome(secretary, (item) => item.kind === "case.answer" && item.subject_id === brought.case_id);
  await good(secretary.POST("/v1/cases/{case_id}/answers", { ...its, body: { text: "已派人维修" } }));
  await onTheHome(villager, (item) => item.kind === "case.confirm" && item.subject_id === brought.case_id);
  right((await good(villager.POST("/v1/cases/{case_id}/confirmation", its))).status === "confirmed");
  right((await good(villager.GET("/v1/cases/{case_id}", its))).entries.map((entry) => entry.kind).join() === "opened,answered,confirmed");
  done("a case, answered and confirmed");

  const overview = await good(officer.GET("/v1/overview/{organisation_id}", here));
  right((overview.figures.find((figure) => figure.measure === "members.all")?.value ?? 0) > 1000);
  done("the county's figures");
}

async function good<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<NonNullable<T>> {
  const { data, error, response } = await asked;
  if (data === undefined || data === null) throw new Error(`${response.status} ${response.url} ${JSON.stringify(error)}`);
  return data;
}

async function onTheHome(person: Client<paths>, wanted: (item: Item) => boolean): Promise<Item> {
  for (let tries = 0; tries < 100; tries++) {
    const found = (await good(person.GET("/v1/home", { params: { query: { limit: 200 } } }))).items.find(wanted);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("not on the home within ten seconds");
}

function right(holds: boolean): asserts holds {
  if (!holds) throw new Error("not as it should be");
}

function done(what: string): void {
  console.log(`ok: ${what}`);
}
