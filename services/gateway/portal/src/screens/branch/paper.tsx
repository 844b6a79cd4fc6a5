/** The sheet as it is printed: numbers, names, room to sign, and the address where a phone checks in. */

import type { components } from "#document";
import { dayAndTime } from "../../shell/dates.ts";
import { href, isBuilt } from "../../shell/router.ts";
import type { Roster } from "../../store/roster.ts";
import { QrCode, useNameOf } from "./office.tsx";
import { says } from "./words.ts";

type Meeting = components["schemas"]["ActivityForMe"];

export function PaperForm({ meeting, people }: { meeting: Meeting; people: Roster["people"] }) {
  const { sheet } = says.value;
  const name = useNameOf(meeting.organisation_id);
  const checkIn = `/activities/${meeting.activity_id}/check-in`;
  return (
    <section class="paper" aria-hidden="true">
      <p>
        <b>{[name, dayAndTime(meeting.starts_at), meeting.place].filter(Boolean).join(" · ")}</b>
      </p>
      <div class="paper-head">
        <p>{sheet.paperLead}</p>
        {isBuilt(checkIn) && (
          <figure>
            <QrCode text={`${location.origin}${href(checkIn)}`} title={sheet.scan} />
            <figcaption>{sheet.scan}</figcaption>
          </figure>
        )}
      </div>
      <table>
        <thead>
          <tr>
            {[sheet.number, sheet.name, sheet.sign].map((head) => (
              <th key={head}>{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {people.map(({ person_id, name }, at) => (
            <tr key={person_id}>
              <td>{at + 1}</td>
              <td>{name}</td>
              <td />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
