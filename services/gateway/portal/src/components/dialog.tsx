/** A question that has to be answered before anything else goes on. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { words } from "../shell/portal.ts";
import { Button, type Common } from "./buttons.tsx";

interface QuestionProps {
  title: string;
  lead: string;
  /** What stands before the answer, another way for example; the answer is the second one then. */
  before?: ComponentChildren;
  answer: string;
  onAnswer: () => unknown;
}

/** A button whose act is asked for once more; `onAnswer` is what it does then. */
export function Asked({ children, second, wide, ...question }: QuestionProps & Common) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Button second={second ?? false} wide={wide ?? false} onPress={() => setAsking(true)}>
        {children}
      </Button>
      {isAsking && <Question {...question} onLeave={() => setAsking(false)} />}
    </>
  );
}

function Question({ title, lead, before, answer, onAnswer, onLeave }: QuestionProps & { onLeave: () => void }) {
  return (
    <Dialog title={title} onLeave={onLeave}>
      <p>{lead}</p>
      {before}
      <Button
        wide
        second={Boolean(before)}
        onPress={async () => {
          await onAnswer();
          onLeave();
        }}
      >
        {answer}
      </Button>
      <Button wide second onPress={onLeave}>
        {words.value.cancel}
      </Button>
    </Dialog>
  );
}

/** `onLeave` is called when it is left without an answer, by Escape for example. */
export function Dialog(props: { title: string; children: ComponentChildren; onLeave: () => void }) {
  const [dialog, name] = [useRef<HTMLDialogElement>(null), useId()];
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close(); // which gives the focus back to where it was
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={name} onClose={props.onLeave}>
      <h2 id={name}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}
