/** Days and times as people say them, in China's time wherever the phone is. */

import type { Language } from "../host.ts";
import { preferences, words } from "./portal.ts";

const ZONE = "Asia/Shanghai";
const DAY = 86_400_000;
const PARTS = new Intl.DateTimeFormat("en-US", {
  timeZone: ZONE, year: "numeric", month: "numeric", day: "numeric", weekday: "short", hour: "numeric", minute: "numeric",
  hourCycle: "h23",
}); // biome-ignore format: one shape
const WEEKDAYS = { Sun: "日", Mon: "一", Tue: "二", Wed: "三", Thu: "四", Fri: "五", Sat: "六" };
/** The hour from which each part of the day begins. */
const DAYPARTS: [number, string][] = [
  [18, "晚上"],
  [13, "下午"],
  [12, "中午"],
  [8, "上午"],
  [5, "早上"],
  [0, "凌晨"],
];

function partsOf(moment: string | number): Record<string, string> {
  return Object.fromEntries(PARTS.formatToParts(new Date(moment)).map(({ type, value }) => [type, value]));
}

/** Gives 12月3日 周三, or Wed 3 Dec. */
export function day(moment: string | number, language: Language = preferences.value.language): string {
  const { month, day, weekday } = partsOf(moment);
  if (language === "zh") return `${month}月${day}日 周${WEEKDAYS[weekday as keyof typeof WEEKDAYS]}`;
  const written = { timeZone: ZONE, weekday: "short", day: "numeric", month: "short" } as const;
  return new Intl.DateTimeFormat("en-GB", written).format(new Date(moment));
}

/** Gives 下午2点, or 2 pm. */
export function time(moment: string | number, language: Language = preferences.value.language): string {
  const { hour, minute } = partsOf(moment);
  const at = Number(hour);
  const twelve = at % 12 || 12;
  if (language === "zh") {
    const part = DAYPARTS.find(([from]) => at >= from)?.[1];
    return `${part}${twelve}点${Number(minute) === 0 ? "" : `${minute?.padStart(2, "0")}分`}`;
  }
  return `${twelve}${Number(minute) === 0 ? "" : `:${minute?.padStart(2, "0")}`} ${at < 12 ? "am" : "pm"}`;
}

export function dayAndTime(moment: string | number, language?: Language): string {
  return `${day(moment, language)} ${time(moment, language)}`;
}

/** Gives from when to when: the second day only where it is another. */
export function span(from: string, until: string): string {
  const { to } = words.value.days;
  const isOneDay = daysUntil(until, Date.parse(from)) === 0;
  return to(dayAndTime(from), isOneDay ? time(until) : dayAndTime(until));
}

/** Gives how many midnights of China lie between two moments. */
export function daysUntil(moment: string | number, now: number = Date.now()): number {
  const date = (at: string | number): number => {
    const { year, month, day } = partsOf(at);
    return Date.UTC(Number(year), Number(month) - 1, Number(day));
  };
  return Math.round((date(moment) - date(now)) / DAY);
}

/** Says how far off a day is: today, tomorrow, days left, days late. */
export function distance(moment: string | number): string {
  const { days } = words.value;
  const left = daysUntil(moment);
  if (left < 0) return days.late(-left);
  return left === 0 ? days.today : left === 1 ? days.tomorrow : days.left(left);
}

/** Gives a moment on the day that ends so many working days after today: Monday to Friday, whatever holidays move. */
export function workingDay(days: number, now: number = Date.now()): number {
  let [at, left] = [now, days];
  while (left > 0) {
    at += DAY;
    if (!/Sat|Sun/.test(partsOf(at).weekday ?? "")) left--;
  }
  return at;
}
