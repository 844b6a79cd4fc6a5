/** The screens of officers: what their place looks like in figures, who needs help, what waits for a second person. */

import type { Screen } from "../shell/router.ts";
import { AccountList, Approvals } from "./area/approvals.tsx";
import { Places } from "./area/board.tsx";
import { Help } from "./area/help.tsx";
import { Area, Place } from "./area/place.tsx";

export const SCREENS: readonly Screen[] = [
  { path: "/area", tab: "area", view: Area },
  { path: "/area/approvals", tab: "area", view: Approvals },
  { path: "/area/help/{organisation_id}", tab: "area", view: Help },
  { path: "/area/places/{organisation_id}", tab: "area", view: Places },
  { path: "/area/{organisation_id}", tab: "area", view: Place },
  { path: "/account-lists/{list_id}", tab: "area", view: AccountList },
];
