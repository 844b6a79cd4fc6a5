/** All that a screen can use: the API, what is stored, the outbox, words, and what the person prefers. */

import { type Signal, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { type AnswerOf, Api, addressOf, type ReadPath, type Where } from "../api/client.ts";
import { troubleOf } from "../api/problems.ts";
import type { Host, Preferences } from "../host.ts";
import type { Session } from "../session/session.ts";
import { type Database, dropOldRoster, type Scope } from "../store/database.ts";
import { Live } from "../store/live.ts";
import { Outbox } from "../store/outbox.ts";
import { type Reading, Subjects } from "../store/subjects.ts";
import type { Texts } from "../texts/zh.ts";

type Preferring = Pick<Host, "preferences" | "prefer" | "texts">;
type SignedIn = Pick<Session, "ended" | "failed" | "token" | "signIn" | "signOut">;

export interface Portal {
  host: Preferring;
  session: SignedIn;
  api: Api;
  database: Database;
  subjects: Subjects;
  outbox: Outbox;
}

/** The one portal of this page; it is there before any screen is. */
export let portal: Portal;
/** The words in the language of now. A screen reads `words.value`, and is shown anew when the language changes. */
export const words = signal<Texts>() as Signal<Texts>;
export const preferences = signal<Preferences>() as Signal<Preferences>;
export const online = signal(navigator.onLine);

export interface Opening {
  host: Preferring;
  session: SignedIn;
  database: Database;
  /** The name of the store of whoever is signed in, and what identity calls them where it has just told. */
  person: string;
  sub?: string | undefined;
}

export async function openPortal({ host, session, database, person, sub }: Opening): Promise<void> {
  words.value = await host.texts(host.preferences.language);
  preferences.value = { ...host.preferences };
  const api = new Api({ token: (isRefused) => session.token(isRefused), language });
  if (sub !== undefined) await database.put("meta", sub, "person_id");
  const subjects = new Subjects(database, api);
  const outbox = new Outbox(database, api, person);
  outbox.onSent = () => void subjects.refresh();
  portal = { host, session, api, database, subjects, outbox };
  for (const event of ["online", "offline"]) addEventListener(event, () => (online.value = navigator.onLine));
  addEventListener("online", () => void outbox.flush());
  await outbox.load();
}

/** Begins what goes on beside the screens; the first of them is shown by then. */
export function goLive(person: string): void {
  const { database, api, subjects, outbox } = portal;
  void navigator.storage?.persist?.();
  void dropOldRoster(database);
  if (outbox.unsent.length > 0) void outbox.flush();
  new Live(database, api, subjects, person);
}

/** Gives of two what is in the language of now. */
export const spoken = <T>(zh: T, en: T): T => (preferences.value.language === "zh" ? zh : en);
/** The language of now as the API names it. */
export const language = (): string => spoken("zh-CN", "en");

export async function prefer(changed: Partial<Preferences>): Promise<void> {
  portal.host.prefer(changed);
  if (changed.language !== undefined) words.value = await portal.host.texts(changed.language);
  preferences.value = { ...portal.host.preferences };
}

/** Reads an address for as long as the component is shown: what is stored at once, then what the system says now. */
export function useReading<P extends ReadPath>(scope: Scope, path: P, where: Where<P> = {}): Reading<AnswerOf<P>> {
  useWatching(scope, [addressOf(path, where)]);
  return portal.subjects.at(scope, path, where).value;
}

/** Keeps these addresses up to date for as long as the component is shown. */
export function useWatching(scope: Scope, addresses: readonly string[]): void {
  useEffect(() => {
    const stops = addresses.map((address) => portal.subjects.watch(scope, address));
    return () => {
      for (const stop of stops) stop();
    };
  }, [scope, addresses.join(" ")]);
}

/** Loads a file that not everybody needs, once it is shown; undefined before, and where it could not be had. */
export function useLater<T>(load: () => Promise<T>): T | undefined {
  const [loaded, setLoaded] = useState<T>();
  useEffect(() => void load().then(setLoaded, () => {}), []);
  return loaded;
}

/**
 * Reads what is other people's own: shown as long as the screen is open, and never kept on the phone.
 *
 * Asks once, again whenever `turn` changes, and after trouble with all else; nothing while `where` is null.
 */
export function useUnstored<P extends ReadPath>(path: P, where: Where<P> | null, turn = 0): Reading<AnswerOf<P>> {
  const [reading, setReading] = useState<Reading<AnswerOf<P>>>({ asking: true });
  const [again, setAgain] = useState(0);
  const address = where && addressOf(path, where);
  useEffect(() => {
    let isShown = true;
    if (where === null) return;
    const show = (now: Reading<AnswerOf<P>>) => isShown && setReading(now);
    setReading((before) => ({ ...before, asking: true }));
    portal.api.read(path, where).then(
      (data) => show({ data, asking: false }),
      (error) => show({ asking: false, trouble: troubleOf(error) }),
    );
    return () => {
      isShown = false;
    };
  }, [address, turn, again]);
  useEffect(() => {
    if (reading.trouble === undefined) return;
    const { rounds } = portal.subjects;
    const before = rounds.peek();
    return rounds.subscribe((now) => now !== before && setAgain((tries) => tries + 1));
  }, [reading.trouble]);
  return reading;
}
