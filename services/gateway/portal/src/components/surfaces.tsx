/** What things stand on: cards, notices, rows of a list, tags, deadlines. */

import { ChevronRight, type IconNode, Info } from "lucide";
import type { ComponentChildren } from "preact";
import { day, daysUntil, distance } from "../shell/dates.ts";
import { href } from "../shell/router.ts";
import { Icon } from "./icon.tsx";

export function Card({ children, due }: { children: ComponentChildren; due?: boolean }) {
  return <article class={due ? "card due" : "card"}>{children}</article>;
}

/** What was said or done, and when. */
export function Entry(props: { what: string; when: string; text?: string | null | undefined; due?: boolean }) {
  return (
    <Card due={props.due ?? false}>
      <div class="row apart">
        <h2>{props.what}</h2>
        <span class="small">{props.when}</span>
      </div>
      {props.text && <p class="said">{props.text}</p>}
    </Card>
  );
}

/** Something to know; `wait` when it is about what has to wait. */
export function Notice(props: { children: ComponentChildren; icon?: IconNode; wait?: boolean; alert?: boolean }) {
  return (
    <div class={props.wait ? "notice wait" : "notice"} role={props.alert ? "alert" : "status"}>
      <Icon of={props.icon ?? Info} />
      <div>{props.children}</div>
    </div>
  );
}

export function List({ children }: { children: ComponentChildren }) {
  return <ul class="list">{children}</ul>;
}

/** A row that leads somewhere: to a screen of ours, or with `address` to another page of the system. */
export function ListRow(props: {
  title: string;
  lead?: string | undefined;
  icon?: IconNode;
  to?: string;
  address?: string;
}) {
  return (
    <li>
      <a class="list-row" href={props.address ?? href(props.to ?? "/")}>
        {props.icon && <Icon of={props.icon} />}
        <span>
          <b>{props.title}</b>
          {props.lead && <span class="small">{props.lead}</span>}
        </span>
        <Icon of={ChevronRight} />
      </a>
    </li>
  );
}

/** What is known of a thing, each under its name; what is not known is left out. */
export function Facts({ of }: { of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

export type Tone = "plain-tag" | "late" | "good" | "warn";

export function Tag({ children, tone = "plain-tag" }: { children: ComponentChildren; tone?: Tone }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

/** Until when: days left and the date, in words; colour only repeats them. `dated` where the date stands beside it. */
export function Deadline({ at, dated }: { at: string; dated?: boolean }) {
  const left = daysUntil(at);
  return (
    <span class="deadline">
      <Tag tone={left < 0 ? "late" : left <= 1 ? "warn" : "plain-tag"}>{distance(at)}</Tag>
      {!dated && <span class="small">{day(at)}</span>}
    </span>
  );
}
