/** Corrects what people correct themselves in their file: each field an act of its own, so that one holds up no other. */

import { useState } from "preact/hooks";
import { Submit } from "../../components/buttons.tsx";
import { Choices, ErrorSummary, Field } from "../../components/form.tsx";
import { Page } from "../../components/page.tsx";
import { ReadingState } from "../../components/trouble.tsx";
import { portal, useReading } from "../../shell/portal.ts";
import { go } from "../../shell/router.ts";
import type { Op } from "../../store/database.ts";
import { says as mine } from "./words.ts";

const CHOICES = ["away", "smartphone"] as const;
const MOBILE = /^(\+86)?1[3-9]\d{9}$/;

export function FileEdit() {
  const file = useReading("profile", "/v1/members/me");
  const { file: says } = mine.value;
  const [phone, setPhone] = useState("");
  const [chosen, setChosen] = useState<Partial<Record<(typeof CHOICES)[number], string>>>({});
  const [faults, setFaults] = useState<{ id: string; text: string }[]>([]);
  const it = file.data;
  /** What was changed before and waits: the newest word takes its place. */
  const waiting = (field: string): Op | undefined =>
    portal.outbox.ops.value.find(
      ({ kind, state, body }) => kind === "profile.revise" && state === "waiting" && field in body,
    );
  const now = (field: (typeof CHOICES)[number]): string => String(waiting(field)?.body[field] ?? it?.[field]);
  const save = async (): Promise<void> => {
    if (it === undefined) return;
    const number = phone.replace(/[\s-]/g, "");
    if (number !== "" && !MOBILE.test(number)) {
      setFaults([{ id: "phone", text: says.noNumber }]);
      return;
    }
    const wanted = {
      ...(number !== "" && { phone: number }),
      ...Object.fromEntries(Object.entries(chosen).map(([field, value]) => [field, value === "true"])),
    };
    for (const [field, value] of Object.entries(wanted) as [keyof typeof wanted, string | boolean][]) {
      const before = waiting(field);
      if (before !== undefined) await portal.outbox.discard(before.op_id);
      if (value === it[field]) continue;
      const act = { kind: "profile.revise", subject_id: it.person_id, base_version: it.version };
      await portal.outbox.add({ ...act, body: { [field]: value }, about: says.fields[field] });
    }
    go("/me/file", "replace");
  };
  return (
    <Page title={says.correct} lead={says.correctLead} back="/me/file">
      {it === undefined && <ReadingState of={file} />}
      {it !== undefined && (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void save();
          }}
        >
          <ErrorSummary faults={faults} />
          <Field
            id="phone"
            label={says.newPhone}
            hint={says.phoneHint(it.phone ?? says.noPhone)}
            value={phone}
            fault={faults[0]?.text}
            input={{ type: "tel", inputMode: "tel", autocomplete: "tel", maxLength: 20 }}
            onValue={setPhone}
          />
          {CHOICES.map((field) => (
            <Choices
              key={field}
              legend={says.fields[field]}
              value={chosen[field] ?? now(field)}
              options={["true", "false"].map((value) => ({ value, label: says[field][value] ?? value }))}
              onValue={(value) => setChosen({ ...chosen, [field]: value })}
            />
          ))}
          <Submit wide>{says.save}</Submit>
        </form>
      )}
    </Page>
  );
}
