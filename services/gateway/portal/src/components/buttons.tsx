/** What is pressed: one main button a screen, the others second. Verbs, six characters at most. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { href } from "../shell/router.ts";

export interface Common {
  children: ComponentChildren;
  second?: boolean;
  wide?: boolean;
}

const look = ({ second, wide }: Partial<Common>): string => `button${second ? " second" : ""}${wide ? " wide" : ""}`;

/** While what it does goes on it cannot be pressed again. */
export function Button({ children, onPress, ...rest }: Common & { onPress: () => unknown }) {
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    setBusy(true);
    try {
      await onPress();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class={look(rest)} disabled={busy} onClick={() => void press()}>
      {children}
    </button>
  );
}

/** Sends the form it stands in. */
export function Submit({ children, busy, ...rest }: Common & { busy?: boolean }) {
  return (
    <button type="submit" class={look(rest)} disabled={busy ?? false}>
      {children}
    </button>
  );
}

/** A link that looks like a button: to a screen, or with `address` to a page of others, which opens beside this one. */
export function ButtonLink({ children, to, address, ...rest }: Common & { to?: string; address?: string }) {
  const beside = address !== undefined && { target: "_blank", rel: "noopener noreferrer" };
  return (
    <a class={look(rest)} href={address ?? href(to ?? "/")} {...beside}>
      {children}
    </a>
  );
}

export function Link({ children, to }: { children: ComponentChildren; to: string }) {
  return (
    <a class="plain" href={href(to)}>
      {children}
    </a>
  );
}
