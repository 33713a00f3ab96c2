// Builds ../static/dist from src/: site.css with the fonts it names, site.js, editor.js, lab.js.
// `--check` builds nothing: it holds the sizes of what was built, and a lock file free of addresses.

import { cp, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "static", "dist");
const pretendard = join(here, "node_modules", "pretendard", "dist");
const webFonts = join(pretendard, "web", "variable");

// gzipped bytes; a first visit gets the page itself out of the same 150 kB
const LIMITS = [
  { files: ["site.js", "site.css"], bytes: 60_000 },
  { files: ["editor.js"], bytes: 250_000 },
  { files: ["lab.js"], bytes: 150_000 },
];

/** One @font-face for each slice of Hangul, so that a page loads only the slices it needs. */
async function fontFaces() {
  const css = await readFile(join(webFonts, "pretendardvariable-dynamic-subset.css"), "utf8");
  return css.replaceAll("./woff2-dynamic-subset/", "./fonts/");
}

async function build() {
  await rm(dist, { recursive: true, force: true });
  await mkdir(join(dist, "fonts"), { recursive: true });
  await cp(join(webFonts, "woff2-dynamic-subset"), join(dist, "fonts"), { recursive: true });
  await cp(join(pretendard, "LICENSE.txt"), join(dist, "fonts", "LICENSE.txt"));
  const common = {
    bundle: true,
    minify: true,
    target: ["chrome109", "firefox115", "safari16.4"],
    outdir: dist,
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
  };
  await Promise.all([
    esbuild.build({ ...common, entryPoints: [join(here, "src", "site.js")], format: "iife" }),
    esbuild.build({ ...common, entryPoints: ["editor.js", "lab.js"].map((name) => join(here, "src", name)), format: "esm" }),
    esbuild.build({
      ...common,
      entryPoints: [join(here, "src", "site.css")],
      // The fonts lie in dist already. Django adds the hashes to these addresses when it collects.
      external: ["./fonts/*"],
      plugins: [withFonts],
    }),
  ]);
}

const withFonts = {
  name: "with-fonts",
  setup(builder) {
    builder.onLoad({ filter: /[/\\]src[/\\]site\.css$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\n${await fontFaces()}`,
      loader: "css",
    }));
  },
};

async function check() {
  const faults = [];
  for (const { files, bytes } of LIMITS) {
    const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(join(dist, name))).length));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`${files.join(" + ")}: ${total} bytes gzipped, at most ${bytes}`);
    if (total > bytes) faults.push(`${files.join(" + ")} grew to ${total} gzipped bytes; at most ${bytes}`);
  }
  const css = await readFile(join(dist, "site.css"), "utf8");
  const fonts = new Set(await readdir(join(dist, "fonts")));
  for (const [, address] of css.matchAll(/url\(["']?(?!data:|#)([^)"']+)/g)) {
    const name = address.replace(/^(\.\/)?fonts\//, "");
    if (!fonts.has(name)) faults.push(`site.css names ${address}, which is not in dist`);
  }
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  for (const [name, entry] of Object.entries(lock.packages)) {
    if (!name) continue;
    if (entry.resolved) faults.push(`package-lock.json holds an address for ${name}`);
    if (!entry.integrity) faults.push(`package-lock.json holds no hash for ${name}`);
  }
  for (const fault of faults) console.error(`${relative(process.cwd(), here) || "."}: ${fault}`);
  process.exitCode = faults.length ? 1 : 0;
}

await (process.argv.includes("--check") ? check() : build());
