/** The worker: keeps the portal's own files, so that it opens without a network. What the API tells it never touches. */

declare const VERSION: string;
declare const FILES: readonly string[];
/** Files that only some people open: kept once somebody did, and from then on in every version. */
declare const LATER: readonly string[];
/** Scripts that the page's own asks for at once. */
declare const AT_ONCE: readonly string[];

const worker = self as unknown as ServiceWorkerGlobalScope;
const SHELL = "/app/";
const PREFIX = "xq-portal-";
const CACHE = PREFIX + VERSION;
/** What is kept is the one thing at its address, whatever its answer says that it varies with. */
const ANY = { ignoreVary: true };
const OTHERS = ["/app/icon.svg", "/app/app.webmanifest"];

const stem = (address: string): string => new URL(address, location.href).pathname.replace(/-[0-9a-f]{16}\..*$/, "");

async function wanted(): Promise<string[]> {
  const opened = new Set<string>();
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    for (const { url } of await (await caches.open(name)).keys()) opened.add(stem(url));
  }
  return [...FILES, ...LATER.filter((address) => opened.has(stem(address)))];
}

const newest = (address: string): Request => new Request(address, { cache: "no-cache" });

/** Gives the page with the word that its scripts be had beside it: where they are on the phone, that costs no line. */
async function page(): Promise<Response> {
  const found = await fetch(newest(SHELL));
  if (!found.ok) throw new Error(`the page was answered by ${found.status}`);
  const headers = new Headers(found.headers);
  headers.set("Link", AT_ONCE.map((address) => `<${address}>; rel=modulepreload`).join());
  return new Response(await found.text(), { headers });
}

/** What an older version has already is taken from it: a new one costs the files that changed. */
async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all([page().then((found) => cache.put(SHELL, found)), cache.addAll(OTHERS.map(newest))]);
  for (const address of await wanted()) {
    const known = await caches.match(address, ANY);
    await (known === undefined ? cache.add(address) : cache.put(address, known));
  }
}

async function dropOlder(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
}

async function kept(address: string | Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const found = await cache.match(address, ANY);
  if (found !== undefined) return found;
  const answer = await fetch(address);
  if (answer.ok && LATER.includes(new URL(answer.url).pathname)) await cache.put(address, answer.clone());
  return answer;
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
