/** The frame of all screens: the screen at the address of now, and what stands below it, as tabs and what waits to be sent. */

import { BookOpen, CloudOff, CloudUpload, Flag, House, type IconNode, LayoutGrid, MessageSquare, User } from "lucide";
import type { ComponentChildren } from "preact";
import { Button, ButtonLink } from "../components/buttons.tsx";
import { Icon } from "../components/icon.tsx";
import { Page } from "../components/page.tsx";
import { online, portal, words } from "./portal.ts";
import { href, isBuilt, isMissing, path, shown, type TabName } from "./router.ts";
import { UpdateNotice } from "./updates.tsx";

/** In their order; each appears once a screen is built at its address. */
const TABS: readonly { name: TabName; path: string; icon: IconNode; role?: RegExp }[] = [
  { name: "home", path: "/", icon: House },
  { name: "learn", path: "/courses", icon: BookOpen },
  { name: "report", path: "/cases", icon: MessageSquare },
  { name: "branch", path: "/branch", icon: Flag, role: /secretary/ },
  { name: "area", path: "/area", icon: LayoutGrid, role: /officer|administrator/ },
  { name: "me", path: "/me", icon: User },
];
const TWO_DAYS = 2 * 86_400_000;

export function Shell({ children }: { children: ComponentChildren }) {
  const at = shown.value;
  const View = at?.screen.view;
  return (
    <div class="shell">
      <div class="content">
        <UpdateNotice />
        {View && <View key={path.value} params={at.params} />}
        {at === null && <Missing />}
        {at === undefined && <OnItsWay />}
      </div>
      <footer class="foot">{children}</footer>
    </div>
  );
}

export function Tabs({ roles }: { roles: readonly string[] }) {
  const here = shown.value?.screen.tab;
  const built = TABS.filter(
    ({ path, role }) => isBuilt(path) && (role === undefined || roles.some((each) => role.test(each))),
  );
  return (
    <nav aria-label={words.value.navigation}>
      <b class="rail-brand">
        <img src="/app/icon.svg" alt="" width="28" height="28" /> {words.value.product}
      </b>
      {built.map(({ name, path, icon }) => (
        <a key={name} href={href(path)} {...(here === name && { "aria-current": "page" })}>
          <Icon of={icon} />
          {words.value.tabs[name]}
        </a>
      ))}
    </nav>
  );
}

/** Tells what is not sent yet or was not taken, and that there is no network; else it is not there. */
export function OutboxBar() {
  const { outbox } = words.value;
  const refused = portal.outbox.ops.value.filter(({ state }) => state === "refused" || state === "conflict").length;
  const unsent = portal.outbox.unsent;
  if (path.value === "/outbox") return null;
  const isOld = unsent.some(({ acted_at }) => Date.parse(acted_at) < Date.now() - TWO_DAYS);
  if (refused + unsent.length === 0) {
    return online.value ? null : (
      <p class="outbox-bar" role="status">
        <Icon of={CloudOff} /> {outbox.barOffline}
      </p>
    );
  }
  const waits = isOld ? outbox.barOld : outbox.bar(unsent.length);
  return (
    <a class="outbox-bar" href={href("/outbox")}>
      <Icon of={online.value ? CloudUpload : CloudOff} />
      <span role="status">{refused > 0 ? outbox.barRefused(refused) : waits}</span>
      <b>{outbox.look}</b>
    </a>
  );
}

/** The file of these screens is asked for; what is not had in the end is asked for anew by a new page. */
function OnItsWay() {
  if (!isMissing.value) return <Page title={words.value.loading} />;
  return (
    <Page title={words.value.trouble.failed} lead={words.value.trouble.offlineEmpty}>
      <Button onPress={() => location.reload()}>{words.value.retry}</Button>
    </Page>
  );
}

function Missing() {
  const { missing } = words.value;
  return (
    <Page title={missing.title} lead={missing.lead}>
      <ButtonLink to="/">{missing.home}</ButtonLink>
    </Page>
  );
}
