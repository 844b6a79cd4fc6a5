/** What the screens of a branch share: whose branch it is, and buttons that wait for a network. */

import { signal } from "@preact/signals";
import { Button } from "../../components/buttons.tsx";
import { online, useLater, useReading } from "../../shell/portal.ts";
import { HELPS } from "../me.tsx";
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

/** Gives the organisation for which somebody may help others: the branch, or where else they are to help. */
export function useHelpFrom(): string | undefined {
  const { id } = useBranch();
  const me = useReading("profile", "/v1/me");
  return id ?? me.data?.roles.find(({ role }) => HELPS.test(role))?.organisation_id;
}

export function useNameOf(organisation_id: string | undefined): string | undefined {
  const path = { organisation_id: organisation_id ?? "" };
  // Without a branch it is the person's own entry that is read: a screen always asks for the same number of things.
  const known = useReading("profile", organisation_id ? "/v1/organisations/{organisation_id}" : "/v1/me", { path });
  return (known.data as { name?: string } | undefined)?.name;
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

/** A QR code of an address. */
export function QrCode(props: { text: string; title: string }) {
  const qr = useLater(() => import("../../components/qr.tsx"));
  return qr === undefined ? null : <qr.Qr {...props} />;
}
