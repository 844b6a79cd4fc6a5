/** What a terminal says beyond the words of the portal, in both languages; nothing here promises to be kept. */

import { computed } from "@preact/signals";
import { preferences } from "../shell/portal.ts";
import type { Texts } from "../texts/zh.ts";

const zh = {
  scan: "用手机扫一扫，就能办事",
  how: "用微信或手机相机扫。在手机上点“同意登录”，几秒钟后这里就打开。",
  type: "扫不了？在手机上打开这个网址，输入 8 个字母：",
  denied: "手机上没有同意。要办事，再扫一次。",
  cutOff: "现在办不了",
  cutOffLead: "没有网络。请等一等，网络好了，这里马上能用。",
  hello: "您好，要办什么？",
  tiles: {
    todo: "要办的事",
    meetings: "开会、签到",
    lessons: "学习",
    report: "我要反映",
    cases: "我反映的事",
    access: "谁看过我的档案",
  },
  start: "回到开头",
  out: "办好了，退出",
  still: "还在吗？",
  seconds: (left: number) => `不点的话，${left} 秒后退出，别人看不到您的事。`,
  here: "我还在",
  unsent: (count: number) => `还有 ${count} 件事没送出去。现在退出，就要重新办。`,
  language: "English",
  larger: "字大一点",
  smaller: "字小一点",
  outside: "扫一扫，在自己手机上看",
  notSent: "还没送出去。送到了，这里会告诉您。",
  waits: (count: number) => `${count} 件事还没送出去，请等一等`,
};

const en: typeof zh = {
  scan: "Scan with your phone to begin",
  how: "Use WeChat or the camera. Tap “Yes, sign in” on your phone, and this opens in a few seconds.",
  type: "Cannot scan? Open this address on your phone and type the 8 letters:",
  denied: "It was refused on the phone. Scan once more to begin.",
  cutOff: "Not just now",
  cutOffLead: "There is no network. Please wait; this works again as soon as there is one.",
  hello: "Hello. What would you like to do?",
  tiles: {
    todo: "Things to do",
    meetings: "Meetings, checking in",
    lessons: "Lessons",
    report: "Report something",
    cases: "My reports",
    access: "Who saw my file",
  },
  start: "Start",
  out: "Done, sign out",
  still: "Are you still here?",
  seconds: (left) =>
    `If not, you are signed out in ${left} second${left === 1 ? "" : "s"}, and nobody sees what is yours.`,
  here: "I am here",
  unsent: (count) => `${count} act${count === 1 ? " is" : "s are"} not sent yet. Who leaves now has to do it again.`,
  language: "中文",
  larger: "Larger",
  smaller: "Smaller",
  outside: "Scan this, and see it on your own phone",
  notSent: "Not sent yet. You are told here once it is.",
  waits: (count) => `${count} act${count === 1 ? "" : "s"} not sent yet, please wait`,
};

const both = { zh, en };
const speaks = (isOther: boolean) =>
  computed(() => both[(preferences.value.language === "zh") === isOther ? "en" : "zh"]);
export const says = speaks(false);
/** The language that is not chosen: whoever comes has not chosen one yet. */
export const beside = speaks(true);

/** Gives the portal's words, where they speak of what a phone keeps in those of a terminal that keeps nothing. */
export function ofTerminal(texts: Texts, language: keyof typeof both): Texts {
  const { identity_approve_list: _, identity_refuse_list: __, ...acts } = texts.acts; // they take two factors
  const { cutOffLead: offline, notSent, waits } = both[language];
  return {
    ...texts,
    acts,
    trouble: { ...texts.trouble, offlineEmpty: offline, offlineStored: () => offline },
    checkIn: { ...texts.checkIn, saved: () => notSent },
    home: { ...texts.home, saved: texts.outbox.sending },
    outbox: { ...texts.outbox, lead: notSent, bar: waits, barOffline: offline },
  };
}
