/** The sheet as it is printed: numbers, names, room to sign. */

import type { components } from "#document";
import { dayAndTime } from "../../shell/dates.ts";
import type { Roster } from "../../store/roster.ts";
import { useNameOf } from "./office.tsx";
import { says } from "./words.ts";

type Meeting = components["schemas"]["ActivityForMe"];

export function PaperForm({ meeting, people }: { meeting: Meeting; people: Roster["people"] }) {
  const { sheet } = says.value;
  const name = useNameOf(meeting.organisation_id);
  return (
    <section class="paper" aria-hidden="true">
      <p>
        <b>{[name, dayAndTime(meeting.starts_at), meeting.place].filter(Boolean).join(" · ")}</b>
      </p>
      <p>{sheet.paperLead}</p>
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
