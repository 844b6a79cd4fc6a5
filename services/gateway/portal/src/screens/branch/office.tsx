/** What the screens of a branch share: whose branch it is, drafts, and buttons that wait for a network. */

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../components/buttons.tsx";
import type { Qr as Drawn } from "../../components/qr.tsx";
import { online, portal, useReading } from "../../shell/portal.ts";
import { says } from "./words.ts";

/** The branch that whoever has several offices looks at. */
export const chosen = signal<string | null>(null);

/** Gives the branches somebody has an office in, and which of them is looked at; undefined as long as that is unknown. */
export function useBranch(): { id: string | undefined; all: readonly string[] } {
  const me = useReading("profile", "/v1/me");
  const held = me.data?.roles.filter(({ role }) => role.includes("secretary")) ?? [];
  const all = [...new Set(held.map(({ organisation_id }) => organisation_id))];
  return { id: all.find((each) => each === chosen.value) ?? all[0], all };
}

export function useNameOf(organisation_id: string | undefined): string | undefined {
  const path = { organisation_id: organisation_id ?? "" };
  // Without a branch it is the person's own entry that is read: a screen always asks for the same number of things.
  const known = useReading("profile", organisation_id ? "/v1/organisations/{organisation_id}" : "/v1/me", { path });
  return (known.data as { name?: string } | undefined)?.name;
}

/** Keeps what somebody began to write or to tick, whatever happens to the page, until it is done. */
export function useDraft<T>(name: string, first: T): [T, (value: T) => void, () => void] {
  const [value, setValue] = useState(first);
  useEffect(() => {
    void portal.database.get("meta", `draft ${name}`).then((kept) => kept !== undefined && setValue(kept as T));
  }, [name]);
  const change = (next: T): void => {
    setValue(next);
    void portal.database.put("meta", next, `draft ${name}`);
  };
  return [value, change, () => void portal.database.delete("meta", `draft ${name}`)];
}

/** A button of what the system has to do at once: without a network it says that it waits. */
export function NetButton(props: { children: string; onPress: () => unknown; second?: boolean; wide?: boolean }) {
  if (online.value) return <Button {...props} />;
  return (
    <button type="button" class={`button${props.second ? " second" : ""}${props.wide ? " wide" : ""}`} disabled>
      {says.value.waits}
    </button>
  );
}

/** A QR code of an address, once what draws it is loaded. */
export function Qr(props: Parameters<typeof Drawn>[0]) {
  const [View, setView] = useState<typeof Drawn>();
  useEffect(() => {
    void import("../../components/qr.tsx").then(
      (loaded) => setView(() => loaded.Qr),
      () => {},
    );
  }, []);
  return View === undefined ? null : <View {...props} />;
}
