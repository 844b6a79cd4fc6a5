/** A terminal that people of a village use in turn: a code to sign in by, six things to do, and out again. */

import { signal } from "@preact/signals";
import { BookOpen, CalendarDays, CheckCheck, Clock, CloudOff, Info, MessageSquare, ShieldCheck } from "lucide";
import { type ComponentChildren, render } from "preact";
import { useEffect } from "preact/hooks";
import { Button, ButtonLink } from "../components/buttons.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Icon } from "../components/icon.tsx";
import { Page } from "../components/page.tsx";
import type { Qr as Drawn } from "../components/qr.tsx";
import { Notice } from "../components/surfaces.tsx";
import { ReadingState } from "../components/trouble.tsx";
import { type Preferences, SIZES } from "../host.ts";
import { Home } from "../screens/home.tsx";
import { openPortal, portal, preferences, useReading, words } from "../shell/portal.ts";
import { followLinks, href, path, register } from "../shell/router.ts";
import { OutboxBar, Shell } from "../shell/shell.tsx";
import { newId } from "../store/ids.ts";
import { letIn, pause, subOf, type Tokens, type Turn, turnOf, type Waiting } from "./device.ts";
import { inMemory } from "./memory.ts";
import { beside, ofTerminal, says } from "./words.ts";

const UNTOUCHED = 90_000;
const LEAVES_AFTER = 30_000;
const SECOND = 1_000;
/** How the terminal was set up: the address that its browser begins with says where it stands. */
const SET_UP = new URLSearchParams(location.search);
const PLACE = SET_UP.get("place")?.slice(0, 80) ?? "";
const TERMINAL = SET_UP.get("terminal")?.slice(0, 128) || newId();
const root = document.getElementById("app") as HTMLElement;

const chosen: Preferences = {
  language: SET_UP.get("language") === "en" ? "en" : "zh",
  size: SIZES.find((size) => size === SET_UP.get("size")) ?? "large",
};
const waiting = signal<Waiting>({});
/** Seconds until whoever stood here is signed out, once nobody touched anything for a while. */
const left = signal<number | null>(null);
/** Whether to leave while something is not sent yet; or an address of another page, to be opened on a phone. */
const asked = signal<"leave" | URL | null>(null);
let touchedAt = 0;
let turn: Turn | null = null;
let Qr: typeof Drawn;

/** Both are had from the beginning: a page that waits for weeks does not ask for files that are gone. */
const told = Promise.all([import("../texts/zh.ts"), import("../texts/en.ts")]);

async function texts(language: Preferences["language"]) {
  const [{ zh }, { en }] = await told;
  return ofTerminal(language === "zh" ? zh : en, language);
}

async function choose(changed: Partial<Preferences>): Promise<void> {
  Object.assign(chosen, changed);
  words.value = await texts(chosen.language);
  preferences.value = { ...chosen };
  document.documentElement.lang = chosen.language === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.size = chosen.size;
}

function Choosing() {
  const { language, size } = preferences.value;
  const next = SIZES[SIZES.indexOf(size) + 1];
  const other = language === "zh" ? "en" : "zh";
  return (
    <div class="row">
      <Button second onPress={() => choose({ language: other })}>
        <span lang={other}>{says.value.language}</span>
      </Button>
      <Button second onPress={() => choose({ size: next ?? "standard" })}>
        {next === undefined ? says.value.smaller : says.value.larger}
      </Button>
    </div>
  );
}

/** A line in the language that was chosen, and below it in the other. */
function Both({
  of,
  as: Line = "p",
}: {
  of: "scan" | "how" | "type" | "denied" | "cutOff" | "cutOffLead";
  as?: "h1" | "p";
}) {
  return (
    <div>
      <Line>{says.value[of]}</Line>
      <p class="small" lang={preferences.value.language === "zh" ? "en" : "zh-CN"}>
        {beside.value[of]}
      </p>
    </div>
  );
}

function Idle() {
  const { codes, isDenied, isCutOff } = waiting.value;
  return (
    <div class="shell">
      <header class="top">
        <b>
          <img src="/app/icon.svg" alt="" width="28" height="28" /> {words.value.product}
        </b>
        <span class="where">{PLACE}</span>
      </header>
      <main class="idle">
        {codes && <Qr text={codes.verification_uri_complete} title={says.value.scan} />}
        <div class="stack">
          <Both of={isCutOff ? "cutOff" : "scan"} as="h1" />
          {(isDenied || isCutOff) && (
            <Notice wait alert={isDenied ?? false} icon={isCutOff ? CloudOff : Info}>
              <Both of={isCutOff ? "cutOffLead" : "denied"} />
            </Notice>
          )}
          {!codes && !isCutOff && <p role="status">{words.value.loading}</p>}
          {codes && (
            <>
              <Both of="how" />
              <Both of="type" />
              <p class="code">
                {codes.verification_uri.replace(/^https?:\/\//, "")}
                <b>{codes.user_code}</b>
              </p>
            </>
          )}
          <Choosing />
        </div>
      </main>
    </div>
  );
}

const TILES = [
  { name: "todo", to: "/todo", icon: CheckCheck },
  { name: "meetings", to: "/activities", icon: CalendarDays },
  { name: "lessons", to: "/courses", icon: BookOpen },
  { name: "report", to: "/cases/new", icon: MessageSquare },
  { name: "cases", to: "/cases", icon: Clock },
  { name: "access", to: "/me/access-log", icon: ShieldCheck },
] as const;

function Tiles() {
  const home = useReading("home", "/v1/home", { query: { order: "due", include: "subject", limit: 30 } });
  const todo = home.data?.items.filter(({ section }) => section === "todo").length;
  const { nothing, todo: toDo } = words.value.home;
  return (
    <Page title={says.value.hello} where={PLACE}>
      {todo === undefined && home.trouble && <ReadingState of={home} />}
      <ul class="tiles">
        {TILES.map(({ name, to, icon }) => (
          <li key={name}>
            <a class="tile" href={href(to)}>
              <Icon of={icon} />
              <span>
                <b>{says.value.tiles[name]}</b>
                {name === "todo" && todo !== undefined && (
                  <span class="small">{todo === 0 ? nothing : toDo(todo)}</span>
                )}
              </span>
            </a>
          </li>
        ))}
      </ul>
      <Choosing />
    </Page>
  );
}

function Stand() {
  useEffect(() => {
    const looking = setInterval(look, SECOND);
    return () => clearInterval(looking);
  }, []);
  return (
    <Shell>
      <OutboxBar />
      <div class="row apart">
        {path.value === "/" ? (
          <span />
        ) : (
          <ButtonLink second to="/">
            {says.value.start}
          </ButtonLink>
        )}
        <Button onPress={askToLeave}>{says.value.out}</Button>
      </div>
      <Questions />
    </Shell>
  );
}

/** What is asked before all else, one at a time. */
function Questions() {
  const { still, seconds, here, out, unsent, outside } = says.value;
  const { cancel, me, outbox } = words.value;
  const close = () => {
    asked.value = null;
  };
  if (left.value !== null) {
    return <Question title={still} lead={seconds(left.value)} stay={here} onStay={touch} out={out} />;
  }
  if (asked.value === null) return null;
  if (asked.value === "leave") {
    const lead = unsent(portal.outbox.unsent.length);
    return <Question title={me.signOutTitle} lead={lead} stay={cancel} onStay={close} out={me.leave} />;
  }
  const drawn = <Qr text={asked.value.href} title={outside} />;
  return <Question title={outside} lead={drawn} stay={outbox.known} onStay={close} />;
}

interface Asking {
  title: string;
  lead: ComponentChildren;
  stay: string;
  onStay: () => void;
  out?: string;
}

function Question({ title, lead, stay, onStay, out }: Asking) {
  return (
    <Dialog key={title} title={title} onLeave={onStay}>
      {typeof lead === "string" ? <p>{lead}</p> : lead}
      <Button wide onPress={onStay}>
        {stay}
      </Button>
      {out && (
        <Button wide second onPress={leave}>
          {out}
        </Button>
      )}
    </Dialog>
  );
}

function touch(): void {
  touchedAt = Date.now();
  left.value = null;
}

/** Once it was asked who is there, an answer alone counts. */
function notice(): void {
  if (left.value === null) touch();
}

function look(): void {
  const quiet = Date.now() - touchedAt;
  if (quiet >= UNTOUCHED + LEAVES_AFTER) void leave();
  else left.value = quiet < UNTOUCHED ? null : Math.ceil((UNTOUCHED + LEAVES_AFTER - quiet) / SECOND);
}

async function askToLeave(): Promise<void> {
  if (portal.outbox.unsent.length > 0) asked.value = "leave";
  else await leave();
}

/** Takes what was shown and told away at once, ends the sign-in, and begins anew with a new page, as soon as it can. */
async function leave(): Promise<void> {
  if (turn === null) return;
  const { revoke } = turn;
  turn = null;
  waiting.value = {};
  render(<Idle />, root);
  for (const name of ["subject", "outbox", "meta"] as const) await portal.database.clear(name);
  await portal.outbox.load();
  portal.subjects.forget();
  while (
    !(await revoke().then(
      () => true,
      () => false,
    ))
  ) {
    waiting.value = { isCutOff: true };
    await pause();
  }
  location.replace(location.href);
}

/** Pages of others, and identity's, are for phones: nobody leaves anything of theirs in this browser. */
function stay(event: Event): void {
  const link = (event.target as Element).closest("a");
  if (link === null || (link.origin === location.origin && link.pathname.startsWith("/kiosk/"))) return;
  event.preventDefault();
  elsewhere(link.href);
}

function elsewhere(address: string): void {
  asked.value = new URL(address);
}

async function begin(tokens: Tokens): Promise<void> {
  turn = turnOf(tokens, leave, elsewhere);
  const host = { preferences: chosen, prefer: (changed: Partial<Preferences>) => void choose(changed), texts };
  const sub = subOf(tokens);
  await openPortal({ host, session: turn, database: inMemory(), person: sub, sub });
  touch();
  render(<Stand />, root);
}

async function start(): Promise<void> {
  const drawing = import("../components/qr.tsx");
  const [part, mine] = [import("../screens/part.ts"), import("../screens/mine.ts")];
  const of = (screens: typeof part | typeof mine, ...unders: string[]) =>
    unders.map((under) => ({ under, load: async () => (await screens).SCREENS }));
  await choose({});
  Qr = (await drawing).Qr;
  register(
    [
      { path: "/", tab: "home", view: Tiles },
      { path: "/me", tab: "home", view: Tiles },
      { path: "/todo", tab: "home", view: Home },
    ],
    [
      ...of(part, "/activities", "/courses", "/lessons", "/outbox"),
      ...of(mine, "/cases", "/me/access-log"),
      { under: "/status", load: async () => (await import("../screens/status.tsx")).SCREENS },
    ],
  );
  for (const event of ["click", "auxclick"]) document.addEventListener(event, stay, true);
  for (const event of ["pointerdown", "keydown", "input", "wheel"]) addEventListener(event, notice, true);
  followLinks();
  // Whoever goes elsewhere with this page, or comes back to it, finds nothing.
  addEventListener("pagehide", () => {
    render(null, root);
    void turn?.revoke().catch(() => undefined);
  });
  window.addEventListener("pageshow", ({ persisted }) => persisted && location.replace(location.href));
  root.replaceChildren();
  delete document.documentElement.dataset.opening;
  render(<Idle />, root);
  const device = { device_id: TERMINAL, ...(PLACE && { device_label: PLACE }) };
  await begin(await letIn(device, (now) => (waiting.value = now)));
}

start().catch(() => pause().then(() => location.reload()));
