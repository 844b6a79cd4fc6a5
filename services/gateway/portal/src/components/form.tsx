/** What is filled in: fields, choices, and the summary of what is to be corrected. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { words } from "../shell/portal.ts";

interface LabelProps {
  id: string;
  label: string;
  hint?: string;
  fault?: string | undefined;
}

interface FieldProps extends LabelProps {
  value: string;
  onValue: (value: string) => void;
  rows?: number;
  input?: { type?: string; inputMode?: "numeric" | "tel" | "text"; autocomplete?: string; maxLength?: number };
}

/** What a label stands over is told to belong to it. */
const labelled = ({ id, hint, fault }: LabelProps) => {
  const told = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return { id, "aria-invalid": fault !== undefined, ...(told && { "aria-describedby": told }) };
};

function Labelled({ id, label, hint, fault, children }: LabelProps & { children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <span class="small" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {fault && (
        <span class="fault" id={`${id}-fault`}>
          {fault}
        </span>
      )}
      {children}
    </div>
  );
}

export function Field({ value, onValue, rows, input, ...label }: FieldProps) {
  const common = {
    ...labelled(label), value, ...input,
    onInput: (event: Event) => onValue((event.target as HTMLInputElement).value),
  }; // biome-ignore format: one element's attributes
  return (
    <Labelled {...label}>
      {rows === undefined ? (
        <input {...(common as JSX.IntrinsicElements["input"])} />
      ) : (
        <textarea rows={rows} {...common} />
      )}
    </Labelled>
  );
}

/** One of many, `children` being the options: in the portal's words, where a browser's own field has its own. */
export function Select(props: LabelProps & Pick<FieldProps, "value" | "onValue"> & { children: ComponentChildren }) {
  const { value, onValue, children, ...label } = props;
  return (
    <Labelled {...label}>
      <select {...labelled(label)} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {children}
      </select>
    </Labelled>
  );
}

interface ChoicesProps<Value extends string> {
  legend: ComponentChildren;
  options: readonly { value: Value; label: string; lang?: string }[];
  value: Value | null;
  onValue: (value: Value) => void;
}

/** One of a few, all of them in sight. */
export function Choices<Value extends string>({ legend, options, value, onValue }: ChoicesProps<Value>) {
  const name = useId();
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {options.map((each) => (
        <label class={each.value === value ? "choice on" : "choice"} key={each.value} lang={each.lang}>
          <input type="radio" name={name} checked={each.value === value} onChange={() => onValue(each.value)} />
          {each.label}
        </label>
      ))}
    </fieldset>
  );
}

/** Names what is to be corrected and leads there; it takes the focus itself, and no Tab stops at it. */
export function ErrorSummary({ faults }: { faults: readonly { id: string; text: string }[] }) {
  const summary = useRef<HTMLDivElement>(null);
  useEffect(() => summary.current?.focus(), [faults]);
  if (faults.length === 0) return null;
  return (
    <div class="errors" ref={summary} tabIndex={-1} role="alert">
      <h2>{words.value.errors(faults.length)}</h2>
      <ul>
        {faults.map(({ id, text }) => (
          <li key={id}>
            <a
              href={`#${id}`}
              onClick={(event) => {
                event.preventDefault();
                document.getElementById(id)?.focus();
              }}
            >
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
