/** What is behind the sign-in: opens the store of whoever is signed in, and shows the screen they came for. */

import { render } from "preact";
import type { Host } from "./host.ts";
import { BUNDLES, SCREENS } from "./screens.ts";
import { Session } from "./session/session.ts";
import { goLive, openPortal, useReading } from "./shell/portal.ts";
import { followLinks, go, register } from "./shell/router.ts";
import { OutboxBar, Shell, Tabs } from "./shell/shell.tsx";
import { registerWorker } from "./shell/updates.tsx";
import { openDatabase } from "./store/database.ts";

function App() {
  const me = useReading("profile", "/v1/me");
  return (
    <Shell>
      <OutboxBar />
      <Tabs roles={me.data?.roles.map(({ role }) => role) ?? []} />
    </Shell>
  );
}

export async function start(host: Host): Promise<void> {
  const session = new Session(host);
  const cameBack = location.pathname === "/app/signed-in";
  const completed = cameBack ? await session.complete(new URL(location.href)) : null;
  const person = completed?.person ?? host.person();
  if (person === null) {
    location.replace(`${completed?.returnTo ?? "/app/"}?sign-in=failed`);
    return;
  }
  session.person = person;
  // Who leaves, or lets somebody else in, in one tab does so in all.
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === host.personKey && newValue !== person) location.replace("/app/");
  });
  await openPortal({ host, session, database: await openDatabase(person), person, sub: completed?.sub });
  register(SCREENS, BUNDLES);
  followLinks();
  if (cameBack) go((completed?.returnTo ?? "/app/").replace(/^\/app/, ""), "replace");
  const root = document.getElementById("app") as HTMLElement;
  root.replaceChildren();
  document.getElementById("welcome")?.remove();
  render(<App />, root);
  delete document.documentElement.dataset.opening;
  goLive(person);
  void registerWorker();
}
