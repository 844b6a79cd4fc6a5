/** What is pressed: one main button a screen, the others second. Verbs, six characters at most. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { href } from "../shell/router.ts";

export interface Common {
  children: ComponentChildren;
  second?: boolean;
  wide?: boolean;
}

const look = ({ second, wide }: Partial<Common>): string => `button${second ? " second" : ""}${wide ? " wide" : ""}`;

/**
 * While what it does goes on it cannot be pressed again, and keeps the focus. Where it goes away by what it did, whoever
 * pressed it by a key is led to what is said in its place, or else to the heading.
 */
export function Button({ children, onPress, ...rest }: Common & { onPress: () => unknown }) {
  const [busy, setBusy] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(
    () => () => {
      if (document.activeElement !== button.current) return;
      const around = button.current?.closest("article, main");
      requestAnimationFrame(() => {
        if (document.activeElement !== document.body) return;
        const place = around?.isConnected ? around : document.querySelector("main");
        const said = place?.querySelector<HTMLElement>("[role=status], [role=alert]") ?? document.querySelector("h1");
        if (said !== null) said.tabIndex = -1;
        said?.focus();
      });
    },
    [],
  );
  const press = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await onPress();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button ref={button} type="button" class={look(rest)} aria-disabled={busy} onClick={() => void press()}>
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
