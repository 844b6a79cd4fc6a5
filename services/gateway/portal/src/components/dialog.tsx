/** A question that has to be answered before anything else goes on. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  children: ComponentChildren;
  /** Called when it is left without an answer, by Escape for example. */
  onLeave: () => void;
}

export function Dialog({ title, children, onLeave }: DialogProps) {
  const [dialog, name] = [useRef<HTMLDialogElement>(null), useId()];
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={name} onClose={onLeave}>
      <h2 id={name}>{title}</h2>
      {children}
    </dialog>
  );
}
