/** A question that has to be answered before anything else goes on. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { words } from "../shell/portal.ts";
import { Button } from "./buttons.tsx";

interface QuestionProps {
  title: string;
  lead: string;
  /** What stands before the answer, another way for example; the answer is the second one then. */
  before?: ComponentChildren;
  answer: string;
  onAnswer: () => unknown;
  /** Called when it is left without an answer, by Escape for example. */
  onLeave: () => void;
}

export function Question({ title, lead, before, answer, onAnswer, onLeave }: QuestionProps) {
  const [dialog, name] = [useRef<HTMLDialogElement>(null), useId()];
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close(); // which gives the focus back to where it was
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={name} onClose={onLeave}>
      <h2 id={name}>{title}</h2>
      <p>{lead}</p>
      {before}
      <Button wide second={Boolean(before)} onPress={onAnswer}>
        {answer}
      </Button>
      <Button wide second onPress={onLeave}>
        {words.value.cancel}
      </Button>
    </dialog>
  );
}
