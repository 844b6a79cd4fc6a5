/** 我的档案: what the organisation knows of oneself, masked until one proved who one is; own corrections, and what clashed. */

import { CheckCheck } from "lucide";
import { useState } from "preact/hooks";
import { Refused } from "../../api/problems.ts";
import { isRefused, whyNot } from "../../components/act.tsx";
import { Button, ButtonLink } from "../../components/buttons.tsx";
import { Page } from "../../components/page.tsx";
import { Card, Facts, Notice } from "../../components/surfaces.tsx";
import { FRESH, ReadingState, StepUp, stepUpOf } from "../../components/trouble.tsx";
import { dayAndTime } from "../../shell/dates.ts";
import { portal, useReading, words } from "../../shell/portal.ts";
import type { Op } from "../../store/database.ts";
import { usePlaces } from "./answering.ts";
import { says as mine } from "./words.ts";

export function File() {
  const file = useReading("profile", "/v1/members/me");
  const { nameOf } = usePlaces();
  const { file: says } = mine.value;
  const it = file.data;
  if (file.trouble instanceof Refused && file.trouble.status === 404 && it === undefined) {
    return (
      <Page title={says.title} lead={says.none} back="/me">
        <ButtonLink to="/">{words.value.missing.home}</ButtonLink>
      </Page>
    );
  }
  const ops = portal.outbox.ops.value.filter(({ kind, state }) => kind === "profile.revise" && state !== "sent");
  return (
    <Page title={says.title} back="/me" where={it && nameOf(it.organisation_id)}>
      <ReadingState of={file} />
      {ops.map((op) => (
        <Correction key={op.op_id} op={op} />
      ))}
      {it !== undefined && (
        <>
          <Card>
            <Facts
              of={[
                [says.fields.name, it.name],
                [says.fields.id_number, it.id_number],
                [says.fields.phone, it.phone ?? says.noPhone],
                [says.fields.stage, words.value.stages[it.stage] ?? it.stage],
                [says.fields.away, says.away[String(it.away)]],
                [says.fields.smartphone, says.smartphone[String(it.smartphone)]],
              ]}
            />
            <p class="small">{says.asOf(dayAndTime(it.recorded_at))}</p>
          </Card>
          {it.clear_from != null && <StepUp proof={{ acr_values: it.clear_from }} why={says.masked} />}
          <ButtonLink to="/me/file/edit">{says.correct}</ButtonLink>
          <Versions id={it.person_id} />
        </>
      )}
    </Page>
  );
}

/** The value of a field in words. */
function shown(field: string, value: unknown): string {
  const { file: says } = mine.value;
  if (field === "away") return says.away[String(value)] ?? "";
  if (field === "smartphone") return says.smartphone[String(value)] ?? "";
  return value == null ? says.noPhone : String(value);
}

/** A correction that is not done yet: it waits, for a proof perhaps; or somebody else changed the same meanwhile. */
function Correction({ op }: { op: Op }) {
  const { file: says } = mine.value;
  const { home, outbox } = words.value;
  const [field = "", value] = Object.entries(op.body)[0] ?? [];
  const label = says.fields[field as keyof typeof says.fields];
  const acr = stepUpOf(op.result);
  const { version, conflicts } = (op.result ?? {}) as {
    version?: number;
    conflicts?: Record<string, { stored: unknown }>;
  };
  const discard = () => portal.outbox.discard(op.op_id);
  if (op.state === "conflict" && conflicts !== undefined) {
    return (
      <Card due>
        <h2>{says.clash(label)}</h2>
        <Facts
          of={[
            [says.onPhone, shown(field, value)],
            [says.inSystem, shown(field, conflicts[field]?.stored)],
          ]}
        />
        <div class="row">
          <Button onPress={() => portal.outbox.again({ ...op, base_version: version ?? op.base_version })}>
            {says.takePhones}
          </Button>
          <Button second onPress={discard}>
            {says.takeSystems}
          </Button>
        </div>
      </Card>
    );
  }
  const isOver = isRefused(op);
  return (
    <>
      <Notice wait={isOver} icon={CheckCheck}>
        <p>
          <b>{isOver ? outbox[op.state] : home.saved}</b> {label} → {shown(field, value)}
        </p>
        {isOver && <p>{whyNot(op)}</p>}
        {isOver && (
          <Button second onPress={discard}>
            {outbox.known}
          </Button>
        )}
      </Notice>
      {!isOver && acr !== undefined && <StepUp proof={{ acr_values: acr, max_age: FRESH }} why={says.provePhone} />}
    </>
  );
}

function Versions({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{mine.value.file.history}</summary>
      {isOpen && <VersionList id={id} />}
    </details>
  );
}

function VersionList({ id }: { id: string }) {
  const versions = useReading("profile", "/v1/members/{person_id}/versions", { path: { person_id: id } });
  const { file: says, access } = mine.value;
  return (
    <>
      <ReadingState of={versions} />
      <ol class="history">
        {versions.data?.items.map((each) => (
          <li key={each.version}>
            <b>{dayAndTime(each.recorded_at)}</b> · {each.recorded_by === id ? access.yourself : says.office}
            <br />
            {[each.name, each.phone, words.value.stages[each.stage], says.away[String(each.away)]]
              .filter(Boolean)
              .join(" · ")}
          </li>
        ))}
      </ol>
    </>
  );
}
