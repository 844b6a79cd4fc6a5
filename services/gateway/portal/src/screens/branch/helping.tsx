/** Half an hour in which somebody acts for another: both names always in sight, what there is to do, the end. */

import { Users } from "lucide";
import { useEffect, useState } from "preact/hooks";
import type { components } from "#document";
import type { Api } from "../../api/client.ts";
import { actName, Done } from "../../components/act.tsx";
import { Button } from "../../components/buttons.tsx";
import { Card, Notice } from "../../components/surfaces.tsx";
import { useAttempt } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { preferences, useReading, useUnstored, words } from "../../shell/portal.ts";
import { newId } from "../../store/ids.ts";
import { NetButton } from "./office.tsx";
import { says } from "./words.ts";

type Session = components["schemas"]["AssistedSessionOut"];
type Item = components["schemas"]["HomeItemOut"];
const MINUTE = 60_000;

function useMinutesLeft({ expires_at }: Session): number {
  const left = () => Math.max(0, Math.ceil((Date.parse(expires_at ?? "") - Date.now()) / MINUTE));
  const [minutes, setMinutes] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setMinutes(left()), MINUTE / 4);
    return () => clearInterval(timer);
  }, []);
  return minutes;
}

export function Helping(props: { api: Api; session: Session; name: string; onEnd: () => unknown }) {
  const { api, session, name, onEnd } = props;
  const { assist } = says.value;
  const [items, setItems] = useState<Item[] | null>(null);
  const [done, setDone] = useState<readonly string[]>([]);
  const { attempt, trouble } = useAttempt();
  const own = useUnstored("/v1/members/me", {});
  const me = useReading("profile", "/v1/me");
  const minutes = useMinutesLeft(session);
  useEffect(() => {
    const query = { section: "todo", order: "due", include: "subject", limit: 50 } as const;
    void attempt(async () => setItems((await api.read("/v1/home", { query })).items));
  }, []);
  const act = (item: Item, action: Item["actions"][number]) =>
    attempt(async () => {
      await api.send(action.method as "POST", action.href, action.body, newId());
      setDone([...done, item.key]);
    });
  const offered = items?.filter(({ actions }) => actions.some(isOneTap)) ?? [];
  return (
    <>
      <Notice wait icon={Users}>
        <p>
          <b>{assist.bar(own.data?.name ?? me.data?.username ?? "", name)}</b>
        </p>
        <p>{assist.left(minutes)}</p>
        <Button onPress={onEnd}>{assist.end}</Button>
      </Notice>
      {items === null && !trouble && <p role="status">{words.value.loading}</p>}
      {items !== null && offered.length === 0 && <p>{assist.nothing(name)}</p>}
      {offered.map((item) => {
        const subject = (item.subject ?? {}) as { title?: string; starts_at?: string };
        return (
          <Card key={item.key}>
            <h2>{subject.title ?? item.title[preferences.value.language]}</h2>
            {subject.starts_at && <p>{dayAndTime(subject.starts_at)}</p>}
            <div class="row">
              {done.includes(item.key) ? (
                <Done what={assist.done} />
              ) : (
                item.actions.filter(isOneTap).map((action) => (
                  <NetButton second key={actName(action)} onPress={() => act(item, action)}>
                    {assist.acts[actName(action)] as string}
                  </NetButton>
                ))
              )}
            </div>
          </Card>
        );
      })}
      {trouble}
    </>
  );
}

function isOneTap(action: Item["actions"][number]): boolean {
  return action.needs.length === 0 && says.value.assist.acts[actName(action)] !== undefined;
}
