/** A terminal that people of a village use in turn: a code to sign in by, six things to do, and out again. */

import { signal } from "@preact/signals";
import { BookOpen, CalendarDays, CheckCheck, Clock, CloudOff, type IconNode, MessageSquare, ShieldCheck } from "lucide";
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
import { followLinks, go, href, path, register } from "../shell/router.ts";
import { OutboxBar, Shell } from "../shell/shell.tsx";
import { newId } from "../store/ids.ts";
import { letIn, pause, subOf, type Tokens, Turn, type Waiting } from "./device.ts";
import { inMemory } from "./memory.ts";
import { beside, ofTerminal, says } from "./words.ts";

const UNTOUCHED = 90_000;
const LEAVES_AFTER = 30_000;
const SECOND = 1_000;
const RETRY = 5_000;
/** How the terminal was set up: the address that its browser begins with says where it stands. */
const SET_UP = new URLSearchParams(location.search);
const PLACE = SET_UP.get("place")?.slice(0, 80) ?? "";
const TERMINAL = SET_UP.get("terminal")?.slice(0, 128) || newId();
const root = document.getElementById("app") as HTMLElement;

const chosen: Preferences = {
  language: SET_UP.get("language") === "en" ? "en" : "zh",
  size: SIZES.find((size) => size === SET_UP.get("size")) ?? "large",
};
const host = { preferences: chosen, prefer: (changed: Partial<Preferences>) => void choose(changed), texts };
const waiting = signal<Waiting>({});
/** Seconds until whoever stood here is signed out, once nobody touched anything for a while. */
const left = signal<number | null>(null);
/** An address of another page, to be opened on a phone. */
const outside = signal<string | null>(null);
/** Whether somebody leaves while something of theirs is not sent yet. */
const isAsked = signal(false);
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
      <button type="button" class="button second" lang={other} onClick={() => void choose({ language: other })}>
        {says.value.language}
      </button>
      <Button second onPress={() => choose({ size: next ?? "standard" })}>
        {next === undefined ? says.value.smaller : says.value.larger}
      </Button>
    </div>
  );
}

/** A line in the language that was chosen, and below it in the other. */
function Both({
  children,
  of,
}: {
  children?: ComponentChildren;
  of: "how" | "type" | "opening" | "cutOffLead" | "denied";
}) {
  return (
    <div>
      <p>{says.value[of]}</p>
      <p class="small" lang={preferences.value.language === "zh" ? "en" : "zh-CN"}>
        {beside.value[of]}
      </p>
      {children}
    </div>
  );
}

function Idle() {
  const { codes, isDenied, isCutOff } = waiting.value;
  const heading = isCutOff ? "cutOff" : "scan";
  return (
    <div class="shell">
      <header class="top">
        <b>
          <img src="/app/icon.svg" alt="" width="28" height="28" /> {words.value.product}
        </b>
        <span class="where">{PLACE}</span>
      </header>
      <main class="idle">
        {codes && <Qr text={codes.verification_uri_complete} title={says.value.code} />}
        <div class="stack">
          <div>
            <h1>{says.value[heading]}</h1>
            <p class="lead" lang={preferences.value.language === "zh" ? "en" : "zh-CN"}>
              {beside.value[heading]}
            </p>
          </div>
          {isDenied && (
            <Notice wait alert>
              <Both of="denied" />
            </Notice>
          )}
          {isCutOff && (
            <Notice wait icon={CloudOff}>
              <Both of="cutOffLead" />
            </Notice>
          )}
          {!codes && !isCutOff && <Both of="opening" />}
          {codes && <Both of="how" />}
          {codes && (
            <Both of="type">
              <p class="code">
                {codes.verification_uri.replace(/^https?:\/\//, "")}
                <b>{codes.user_code}</b>
              </p>
            </Both>
          )}
          <Choosing />
        </div>
      </main>
    </div>
  );
}

const TILES: readonly { name: keyof (typeof says.value)["tiles"]; to: string; icon: IconNode }[] = [
  { name: "todo", to: "/todo", icon: CheckCheck },
  { name: "meetings", to: "/activities", icon: CalendarDays },
  { name: "lessons", to: "/courses", icon: BookOpen },
  { name: "report", to: "/cases/new", icon: MessageSquare },
  { name: "cases", to: "/cases", icon: Clock },
  { name: "access", to: "/me/access-log", icon: ShieldCheck },
];

function Tiles() {
  const home = useReading("home", "/v1/home", { query: { order: "due", include: "subject", limit: 30 } });
  const todo = home.data?.items.filter(({ section }) => section === "todo").length;
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
                  <span class="small">{todo === 0 ? words.value.home.nothing : words.value.home.todo(todo)}</span>
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

/** What is asked before all else: of these one at a time, the first that is due. */
function Questions() {
  const here = says.value;
  if (left.value !== null) {
    return (
      <Dialog key="still" title={here.still} onLeave={touch}>
        <p>{here.seconds(left.value)}</p>
        <Button wide onPress={touch}>
          {here.here}
        </Button>
        <Button wide second onPress={leave}>
          {here.out}
        </Button>
      </Dialog>
    );
  }
  if (isAsked.value) {
    const stay = () => {
      isAsked.value = false;
    };
    return (
      <Dialog key="unsent" title={here.unsentTitle} onLeave={stay}>
        <p>{here.unsent(portal.outbox.unsent.length)}</p>
        <Button wide onPress={stay}>
          {here.wait}
        </Button>
        <Button wide second onPress={leave}>
          {here.leave}
        </Button>
      </Dialog>
    );
  }
  if (outside.value === null) return null;
  const close = () => {
    outside.value = null;
  };
  return (
    <Dialog key="outside" title={here.outside} onLeave={close}>
      <p>{here.outsideLead}</p>
      <Qr text={outside.value} title={here.outside} />
      <Button wide onPress={close}>
        {here.known}
      </Button>
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
  if (portal.outbox.unsent.length > 0) isAsked.value = true;
  else await leave();
}

/** Takes what was shown and told away at once, ends the sign-in, and begins anew with a new page, as soon as it can. */
async function leave(): Promise<void> {
  if (turn === null) return;
  const ending = turn;
  turn = null;
  render(<Idle />, root);
  await forget();
  for (;;) {
    try {
      await ending.revoke();
      await fetch("/kiosk/out", { method: "POST", credentials: "omit" });
      break;
    } catch {
      waiting.value = { isCutOff: true };
      await pause(RETRY);
    }
  }
  location.replace(location.href);
}

async function forget(): Promise<void> {
  waiting.value = {};
  for (const name of ["subject", "outbox", "meta"] as const) await portal.database.clear(name);
  await portal.outbox.load();
  portal.subjects.forget();
}

/** Pages of others, and identity's, are for phones: nobody leaves anything of theirs in this browser. */
function stay(event: Event): void {
  const link = (event.target as Element).closest("a");
  if (link === null || (link.origin === location.origin && link.pathname.startsWith("/kiosk/"))) return;
  event.preventDefault();
  outside.value = link.href;
}

async function begin(tokens: Tokens): Promise<void> {
  turn = new Turn(tokens, leave, (address) => {
    outside.value = address;
  });
  const sub = subOf(tokens);
  await openPortal({ host, session: turn, database: inMemory(), person: sub, sub });
  touch();
  go("/");
  render(<Stand />, root);
}

async function start(): Promise<void> {
  const drawing = import("../components/qr.tsx");
  await choose({});
  Qr = (await drawing).Qr;
  const screens = { part: import("../screens/part.ts"), mine: import("../screens/mine.ts") };
  const [part, mine] = [async () => (await screens.part).SCREENS, async () => (await screens.mine).SCREENS];
  register(
    [
      { path: "/", tab: "home", view: Tiles },
      { path: "/me", tab: "home", view: Tiles },
      { path: "/todo", tab: "home", view: Home },
    ],
    [
      ...["/activities", "/courses", "/lessons", "/outbox"].map((under) => ({ under, load: part })),
      ...["/cases", "/me/access-log"].map((under) => ({ under, load: mine })),
      { under: "/status", load: async () => (await import("../screens/status.tsx")).SCREENS },
    ],
  );
  for (const event of ["click", "auxclick"]) document.addEventListener(event, stay, true);
  for (const event of ["pointerdown", "keydown", "input", "scroll"]) {
    addEventListener(event, notice, { capture: true, passive: true });
  }
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
  await begin(
    await letIn({ device_id: TERMINAL, ...(PLACE && { device_label: PLACE }) }, (now) => {
      waiting.value = now;
    }),
  );
}

start().catch(() => setTimeout(() => location.reload(), RETRY));
