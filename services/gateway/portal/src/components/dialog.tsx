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
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close(); // which gives the focus back to where it was
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={name} onClose={onLeave}>
      <h2 id={name}>{title}</h2>
      {children}
    </dialog>
  );
}
