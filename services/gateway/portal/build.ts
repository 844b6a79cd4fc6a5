/** Builds the portal: bundles named by the SHA-256 of their content, the page that loads them, and the worker. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin, transform } from "esbuild";

const SOURCES = join(import.meta.dirname, "src");
const TARGET = ["chrome80", "safari14.1"];
const PAGE = "/app/";
/** How many builds' files stay, so that a page which is open still finds its own. */
const KEPT_BUILDS = 2;
const BUNDLES = {
  entry: "entry.ts",
  core: "core.tsx",
  auth: "session/auth.ts",
  branch: "screens/branch.ts",
  part: "screens/part.ts",
  qr: "components/qr.tsx",
  area: "screens/area.ts",
  charts: "screens/area/charts.tsx",
  status: "screens/status.tsx",
  mine: "screens/mine.ts",
  kiosk: "kiosk/kiosk.tsx",
  "texts-zh": "texts/zh.ts",
  "texts-en": "texts/en.ts",
};
/** Bundles that the first opening does without, and every phone keeps. */
const SOON = ["part", "mine"];
/** Bundles that only some people open: a phone keeps them once it did. */
const LATER = ["branch", "qr", "area", "charts", "status"];
/** Bundles of a page of its own, of which nothing is kept. */
const APART = ["kiosk"];
const COMMON: BuildOptions = {
  absWorkingDir: import.meta.dirname,
  bundle: true,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  logOverride: { "ignored-bare-import": "silent" },
  minify: true,
  target: TARGET,
  write: false,
  define: { "process.env.NODE_ENV": '"production"' },
};

type Files = Map<string, string>;

function named(name: string, extension: string, content: string): string {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return `${name}-${digest}.${extension}`;
}

/** Bundles the scripts. esbuild's own hashes depend on where packages lie, so each gets its name here, leaves first. */
async function scripts(): Promise<Files> {
  const apart = await bundled([]);
  const built = await bundled(shared(apart.metafile as Metafile));
  const contents = new Map(built.outputFiles?.map((file) => [basename(file.path), file.text]));
  const names = new Map<string, string>();
  const files: Files = new Map();
  const metafile = built.metafile as Metafile;
  for (const output of leavesFirst(metafile)) {
    let content = atOnce(output, contents.get(output) as string, metafile);
    for (const [before, after] of names) content = content.replaceAll(`./${before}`, `./${after}`);
    const stem = output.replace(/(-[A-Z0-9]{8})?\.js$/, "");
    const name = named(stem, "js", content);
    names.set(output, name);
    files.set(name, content);
  }
  return files;
}

function bundled(together: readonly string[]): Promise<BuildResult> {
  return build({
    ...COMMON,
    entryPoints: Object.entries(BUNDLES).map(([out, source]) => ({ in: join(SOURCES, source), out })),
    format: "esm",
    splitting: true,
    metafile: true,
    outdir: "assets",
    entryNames: "[name]",
    chunkNames: "shared-[hash]",
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [asOne(together)],
  });
}

/** The sources that core shares with later bundles, whichever of them. */
function shared({ outputs }: Metafile): string[] {
  const below = (name: string) =>
    (outputs[`assets/${name}.js`]?.imports ?? []).filter(({ kind }) => kind === "import-statement");
  const first = [...below("entry"), ...below("auth")].map(({ path }) => path);
  const chunks = below("core").filter(({ path }) => !first.includes(path));
  return chunks.flatMap(({ path }) => Object.keys(outputs[path]?.inputs ?? {})).sort();
}

/**
 * Has every later bundle import all of these: so they come in one file. Else there would be one for each set of bundles
 * that share something, and the first opening would ask for them all.
 */
function asOne(together: readonly string[]): Plugin {
  const entries = [...SOON, ...LATER, ...APART].map((name) => join(SOURCES, BUNDLES[name as keyof typeof BUNDLES]));
  const imports = together.map((file) => `import ${JSON.stringify(join(import.meta.dirname, file))};`).join("");
  return {
    name: "as-one",
    setup({ onLoad }) {
      onLoad({ filter: /[.]tsx?$/ }, ({ path }) => {
        if (!entries.includes(path)) return null;
        return { contents: readFileSync(path, "utf8") + imports, loader: path.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

/** Asks for what a bundle stands on together with it: over a slow link the next round trip is dear. */
function atOnce(output: string, content: string, { outputs }: Metafile): string {
  const imports = (path: string, kind: string) => outputs[path]?.imports.filter((each) => each.kind === kind) ?? [];
  const known = imports(`assets/${output}`, "import-statement").map(({ path }) => path);
  let asking = content;
  for (const { path } of imports(`assets/${output}`, "dynamic-import")) {
    const first = imports(path, "import-statement").filter((each) => !known.includes(each.path));
    const [bundle, below] = [
      `import("./${basename(path)}")`,
      first.map((each) => `import("./${basename(each.path)}")`),
    ];
    if (below.length > 0) asking = asking.replaceAll(bundle, `(${[...below, bundle].join()})`);
  }
  return asking;
}

function leavesFirst({ outputs }: Metafile): string[] {
  const ordered: string[] = [];
  const visit = (path: string, above: string[]): void => {
    if (above.includes(path)) throw new Error(`bundles import each other: ${[...above, path].join(" > ")}`);
    if (ordered.includes(basename(path))) return;
    for (const { path: imported } of outputs[path]?.imports ?? []) visit(imported, [...above, path]);
    ordered.push(basename(path));
  };
  for (const path of Object.keys(outputs).sort()) visit(path, []);
  return ordered;
}

async function style(file: string): Promise<string> {
  const { code } = await transform(readFileSync(join(SOURCES, file), "utf8"), {
    loader: "css",
    minify: true,
    charset: "utf8",
    target: TARGET,
  });
  return code.trim();
}

function found(files: Files, stem: string): string {
  const name = [...files.keys()].find((each) => each.startsWith(`${stem}-`));
  if (name === undefined) throw new Error(`there is no ${stem}`);
  return name;
}

async function page(files: Files, source: string, bundle: string, ...styles: string[]): Promise<string> {
  const [entry, sheet] = [found(files, bundle), found(files, "style")];
  return readFileSync(join(SOURCES, source), "utf8")
    .replace("%CRITICAL%", (await Promise.all(styles.map(style))).join(""))
    .replace("%ENTRY%", `${PAGE}assets/${entry}`)
    .replace("%STYLE%", `${PAGE}assets/${sheet}`)
    .replace(/\n\s*/g, "\n");
}

async function worker(files: Files, html: string): Promise<string> {
  const version = createHash("sha256")
    .update(html)
    .update([...files.keys()].join())
    .digest("hex")
    .slice(0, 16);
  const isOf = (bundles: readonly string[], name: string) => bundles.some((each) => name.startsWith(`${each}-`));
  const listed = (later: boolean) =>
    [...files.keys()]
      .filter((name) => isOf(LATER, name) === later && !isOf(APART, name))
      .map((name) => `${PAGE}assets/${name}`)
      .sort();
  const built = await build({
    ...COMMON,
    entryPoints: [join(SOURCES, "worker.ts")],
    format: "iife",
    outdir: "worker",
    define: {
      VERSION: JSON.stringify(version),
      FILES: JSON.stringify(listed(false)),
      LATER: JSON.stringify(listed(true)),
      AT_ONCE: JSON.stringify(listed(false).filter((address) => /(shared|core)-[0-9a-f]+[.]js$/.test(address))),
    },
  });
  return built.outputFiles?.[0]?.text ?? "";
}

function written(folder: string, files: Files, tops: Files): void {
  const assets = join(folder, "assets");
  const list = join(folder, "builds.json");
  const before: string[][] = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : [];
  const now = [...files.keys()].sort();
  const builds = [now, ...before.filter((each) => each.join() !== now.join())].slice(0, KEPT_BUILDS);
  mkdirSync(assets, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(assets, name), content);
  for (const [name, content] of tops) writeFileSync(join(folder, name), content);
  writeFileSync(list, JSON.stringify(builds));
  for (const name of readdirSync(assets)) if (!builds.flat().includes(name)) rmSync(join(assets, name));
}

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node build.ts FOLDER");
const files = await scripts();
const sheet = await style("style.css");
files.set(named("style", "css", sheet), sheet);
const html = await page(files, "index.html", "entry", "critical.css");
const tops: Files = new Map([
  ["index.html", html],
  ["kiosk.html", await page(files, "kiosk.html", "kiosk", "critical.css", "kiosk/kiosk.css")],
  ["worker.js", await worker(files, html)],
  ["app.webmanifest", readFileSync(join(SOURCES, "app.webmanifest"), "utf8")],
  ["icon.svg", readFileSync(join(SOURCES, "icon.svg"), "utf8")],
]);
written(folder, files, tops);
