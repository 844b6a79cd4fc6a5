/** The frame of a screen: what stands at its top, its one heading, and what it is about. */

import { ChevronLeft } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../shell/portal.ts";
import { href } from "../shell/router.ts";
import { Icon } from "./icon.tsx";

interface PageProps {
  title: string;
  /** The address of the screen it came from; without one it is the first of its tab. */
  back?: string;
  /** Whose or where this is. */
  where?: string | undefined;
  lead?: string | undefined;
  /** For what is looked over rather than read. */
  wide?: boolean;
  children?: ComponentChildren;
}

let isFirst = true;

export function Page({ title, back, where, lead, wide, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // Whoever hears the page is told where they came to; at the first opening the browser does that.
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  useEffect(() => {
    document.title = `${title} · ${words.value.product}`;
  }, [title]);
  return (
    <>
      <header class="top">
        {back === undefined ? (
          <b>
            <img src="/app/icon.svg" alt="" width="28" height="28" /> {words.value.product}
          </b>
        ) : (
          <a class="back" href={href(back)}>
            <Icon of={ChevronLeft} />
            {words.value.back}
          </a>
        )}
        {where !== undefined && <span class="where">{where}</span>}
      </header>
      <main class={wide ? "wide" : undefined}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
        {children}
      </main>
    </>
  );
}
