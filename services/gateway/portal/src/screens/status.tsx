/** What works now and what does not, since when, and what to do instead; in the system's own words. */

import { CheckCheck, Clock } from "lucide";
import { Page } from "../components/page.tsx";
import { Card, List, Notice, Tag } from "../components/surfaces.tsx";
import { ReadingState } from "../components/trouble.tsx";
import { dayAndTime } from "../shell/dates.ts";
import { preferences, useReading, words } from "../shell/portal.ts";
import type { Screen } from "../shell/router.ts";

export const SCREENS: readonly Screen[] = [{ path: "/status", tab: "me", view: Status }];

function Status() {
  const status = useReading("profile", "/v1/status");
  const { status: says } = words.value;
  const { language } = preferences.value;
  const { data } = status;
  const bad = data?.capabilities.filter(({ condition }) => condition !== "fine") ?? [];
  const good = data?.capabilities.filter(({ condition }) => condition === "fine") ?? [];
  return (
    <Page
      title={says.title}
      back="/me"
      lead={status.seenAt === undefined ? undefined : says.asOf(dayAndTime(status.seenAt))}
    >
      <ReadingState of={status} />
      {data && (
        <Notice wait={!data.fine} icon={data.fine ? CheckCheck : Clock}>
          {data.summary[language]}
        </Notice>
      )}
      {bad.map((each) => (
        <Card key={each.capability} due>
          <div class="row apart">
            <h2>{each.title[language]}</h2>
            {each.since !== null && <Tag tone="warn">{says.since(dayAndTime(each.since))}</Tag>}
          </div>
          <p>{each.meaning[language]}</p>
          {each.instead && <p>{each.instead[language]}</p>}
        </Card>
      ))}
      {good.length > 0 && (
        <List>
          {good.map((each) => (
            <li key={each.capability} class="list-row">
              <span>
                <b>{each.title[language]}</b>
                <span class="small">{each.meaning[language]}</span>
              </span>
            </li>
          ))}
        </List>
      )}
    </Page>
  );
}
