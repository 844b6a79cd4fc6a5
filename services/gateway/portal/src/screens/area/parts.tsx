/** What several screens of officers show: a figure or that it is hidden and why, how it is counted, a table to open. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../components/buttons.tsx";
import { day } from "../../shell/dates.ts";
import { useReading } from "../../shell/portal.ts";
import { href } from "../../shell/router.ts";
import { type Figure, formulaOf, nameOf, said } from "./figures.ts";
import { areaWords } from "./words.ts";

/** A figure in words; a hidden one is hatched and says so. */
export function Value({ of }: { of: Figure | undefined }) {
  return of?.value === null ? <span class="hatched">{areaWords().hidden}</span> : <span class="value">{said(of)}</span>;
}

/** Why figures are hidden, where some are. */
export function Why({ some }: { some: boolean }) {
  if (!some) return null;
  return (
    <details>
      <summary>{areaWords().why}</summary>
      <p>{areaWords().whyHidden}</p>
    </details>
  );
}

export function How({ figures }: { figures: readonly Figure[] }) {
  const says = areaWords();
  const first = figures.map((each) => each.formula_holds_from).sort()[0];
  return (
    <details>
      <summary>{says.how}</summary>
      <dl class="how">
        {figures.map((each) => (
          <div key={each.measure}>
            <dt>{nameOf(each.measure, each)}</dt>
            <dd>{formulaOf(each)}</dd>
          </div>
        ))}
      </dl>
      {first !== undefined && <p class="small">{says.holdsFrom(day(first))}</p>}
    </details>
  );
}

export interface Row {
  key: string;
  name: ComponentChildren;
  cells: ComponentChildren;
}

/** The same as a table, for whoever asks for it. */
export function TableBehind(props: { caption: string; head: readonly [string, string]; rows: readonly Row[] }) {
  const [isOpen, setOpen] = useState(false);
  const says = areaWords();
  return (
    <>
      <div class="row">
        <Button second onPress={() => setOpen(!isOpen)}>
          {isOpen ? says.noTable : says.table}
        </Button>
      </div>
      {isOpen && (
        <table>
          <caption>{props.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{props.head[0]}</th>
              <th scope="col">{props.head[1]}</th>
            </tr>
          </thead>
          <tbody>
            {props.rows.map(({ key, name, cells }) => (
              <tr key={key}>
                <th scope="row">{name}</th>
                <td>{cells}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** The way from the place of one's office down to this one; `base` is the screen that each place has. */
export function Crumbs({ to, tops, base }: { to: string; tops: readonly string[]; base: string }) {
  if (tops.includes(to)) return null;
  return (
    <nav class="crumbs" aria-label={areaWords().crumbs}>
      <ol>
        <Crumb id={to} tops={tops} base={base} isLast />
      </ol>
    </nav>
  );
}

function Crumb({ id, tops, base, isLast }: { id: string; tops: readonly string[]; base: string; isLast?: boolean }) {
  const { data } = useReading("area", "/v1/organisations/{organisation_id}", { path: { organisation_id: id } });
  if (data === undefined) return null;
  return (
    <>
      {!tops.includes(id) && data.parent_id !== null && <Crumb id={data.parent_id} tops={tops} base={base} />}
      <li {...(isLast && { "aria-current": "page" as const })}>
        {isLast ? data.name : <a href={href(`${base}/${id}`)}>{data.name}</a>}
      </li>
    </>
  );
}
