/** The worker and its new versions: one waits until no page of the old is open, or the person says so. */

import { signal } from "@preact/signals";
import { RefreshCw } from "lucide";
import { Button } from "../components/buttons.tsx";
import { Notice } from "../components/surfaces.tsx";
import { words } from "./portal.ts";

const ADDRESS = "/app/worker.js";
const waiting = signal<ServiceWorker | null>(null);

interface Policies {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(from: string): string };
}

/** Where scripts' addresses have to be trusted, this one literal is; no other is ever made. */
function trusted(): string {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  return policies?.createPolicy("portal-worker", { createScriptURL: () => ADDRESS }).createScriptURL("") ?? ADDRESS;
}

/** Without a worker (private windows, pages inside other apps) everything works as long as there is a network. */
export async function registerWorker(): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  const registration = await workers?.register(trusted(), { scope: "/app/" }).catch(() => undefined);
  if (workers === undefined || registration === undefined) return;
  const look = (): void => {
    if (workers.controller !== null) waiting.value = registration.waiting;
  };
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
}

function take(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting.value?.postMessage("take over");
}

export function UpdateNotice() {
  if (waiting.value === null) return null;
  return (
    <Notice icon={RefreshCw}>
      <p>{words.value.update.ready}</p>
      <Button second onPress={take}>
        {words.value.update.take}
      </Button>
    </Notice>
  );
}
