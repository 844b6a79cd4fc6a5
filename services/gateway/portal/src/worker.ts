/** The worker: keeps the portal's own files, so that it opens without a network. What the API tells it never touches. */

declare const VERSION: string;
declare const FILES: readonly string[];

const worker = self as unknown as ServiceWorkerGlobalScope;
const SHELL = "/app/";
const PREFIX = "xq-portal-";
const CACHE = PREFIX + VERSION;
const OTHERS = ["/app/icon.svg", "/app/app.webmanifest"];

/** A name says what is in a file, whoever asks for it: modules ask with an origin, the worker does without. */
const ANYHOW = { ignoreVary: true };

/** What an older version has already is taken from it: a new one costs the files that changed. */
async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([SHELL, ...OTHERS].map((address) => new Request(address, { cache: "no-cache" })));
  for (const address of FILES) {
    const known = await caches.match(address, ANYHOW);
    await (known === undefined ? cache.add(address) : cache.put(address, known));
  }
}

async function dropOlder(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
}

async function kept(address: string | Request): Promise<Response> {
  const found = await (await caches.open(CACHE)).match(address, ANYHOW);
  return found ?? fetch(address);
}

worker.addEventListener("install", (event) => event.waitUntil(fill()));
worker.addEventListener("activate", (event) => event.waitUntil(dropOlder()));
worker.addEventListener("message", ({ data }) => {
  if (data === "take over") void worker.skipWaiting();
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || !pathname.startsWith(SHELL)) return;
  if (request.mode === "navigate") event.respondWith(kept(SHELL));
  else if (pathname.startsWith(`${SHELL}assets/`) || OTHERS.includes(pathname)) event.respondWith(kept(request));
});
