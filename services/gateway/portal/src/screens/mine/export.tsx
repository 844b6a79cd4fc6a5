/** 我的全部资料: have all that the system holds of oneself gathered, see how far it is, and take the file. */

import { useEffect } from "preact/hooks";
import type { components } from "#document";
import { Button } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { Card } from "../../components/surfaces.tsx";
import { ReadingState, useAttempt } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { portal, useReading } from "../../shell/portal.ts";
import { newId } from "../../store/ids.ts";
import { says as mine } from "./words.ts";

type Gathering = components["schemas"]["ExportOut"];
const PAUSE = 3_000;

export function Export() {
  const asked = useReading("profile", "/v1/me/export-requests", { query: { limit: 1 } });
  const { attempt, trouble } = useAttempt();
  const { export: says } = mine.value;
  const newest = asked.trouble === undefined ? asked.data?.items[0] : undefined;
  const ask = () =>
    attempt(async () => {
      await portal.api.send("POST", "/v1/me/exports", null, newId());
      await portal.subjects.refresh("profile");
    });
  return (
    <Page title={says.title} lead={says.lead} back="/me">
      {trouble || <ReadingState of={asked} />}
      {newest !== undefined && <Progress key={newest.export_id} id={newest.export_id} />}
      {asked.data !== undefined && asked.trouble === undefined && (
        <Button second={newest !== undefined} onPress={ask}>
          {newest === undefined ? says.ask : says.askAgain}
        </Button>
      )}
    </Page>
  );
}

function Progress({ id }: { id: string }) {
  const gathering = useReading("profile", "/v1/me/exports/{export_id}", { path: { export_id: id } });
  const isDone = gathering.data?.file != null;
  useEffect(() => {
    if (isDone) return;
    const looking = setInterval(() => void portal.subjects.refresh("profile"), PAUSE);
    return () => clearInterval(looking);
  }, [isDone]);
  const { export: says } = mine.value;
  return (
    <>
      <ReadingState of={gathering} />
      {gathering.data !== undefined && (
        <Card due>
          <h2>{isDone ? says.ready : says.gathering(gathering.data.done, gathering.data.total)}</h2>
          <p>{isDone ? says.until(dayAndTime(gathering.data.expires_at)) : says.mayLeave}</p>
          {isDone && <Fetch of={gathering.data} />}
        </Card>
      )}
    </>
  );
}

/** The file goes to where the browser puts files, and is not kept here. */
function Fetch({ of }: { of: Gathering }) {
  const { attempt, trouble } = useAttempt();
  const take = () =>
    attempt(async () => {
      const answer = await portal.api.ask(`/v1/me/exports/${of.export_id}/file`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download =
        /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "xiangqiao.zip";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  return (
    <>
      <div class="row">
        <Button onPress={take}>{mine.value.export.take}</Button>
      </div>
      {trouble}
    </>
  );
}
