/** Reports, and what is mine beyond the first screens: loaded when one of them is opened, and kept on the phone. */

import type { Screen } from "../shell/router.ts";
import { Access } from "./mine/access.tsx";
import { Case } from "./mine/case.tsx";
import { Cases } from "./mine/cases.tsx";
import { Consents } from "./mine/consents.tsx";
import { Export } from "./mine/export.tsx";
import { File } from "./mine/file.tsx";
import { FileEdit } from "./mine/file_edit.tsx";
import { Helpers } from "./mine/helpers.tsx";
import { Report } from "./mine/report.tsx";

export const SCREENS: readonly Screen[] = [
  { path: "/cases", tab: "report", view: Cases },
  { path: "/cases/new", tab: "report", view: Report },
  { path: "/cases/new/{step}", tab: "report", view: Report },
  { path: "/cases/{case_id}", tab: "report", view: Case },
  { path: "/me/file", tab: "me", view: File },
  { path: "/me/file/edit", tab: "me", view: FileEdit },
  { path: "/me/access-log", tab: "me", view: Access },
  { path: "/me/consents", tab: "me", view: Consents },
  { path: "/me/helpers", tab: "me", view: Helpers },
  { path: "/me/export", tab: "me", view: Export },
];
