import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { mockServer } from "./dev/plugin.ts";

/** compressed writes a .br and a .gz neighbour of every text asset (.br alone of WebAssembly), and keeps dist/.gitkeep. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle(options) {
      const root = options.dir ?? "dist";
      writeFileSync(join(root, ".gitkeep"), "");
      for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|html|svg|wasm)$/.test(entry)) continue;
        const plain = readFileSync(join(root, entry));
        if (plain.length < 512) continue;
        // The last step of compression costs half a minute on the 12 MB of WebAssembly and saves a tenth.
        const quality = plain.length > 4e6 ? 9 : 11;
        writeFileSync(`${join(root, entry)}.br`, brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
        // Whoever opens a camera (a secure context) takes Brotli.
        if (!entry.endsWith(".wasm")) writeFileSync(`${join(root, entry)}.gz`, gzipSync(plain, { level: 9 }));
      }
    },
  };
}

// `npm run dev` answers the API from dev/, a small stand-in that verifies nothing.
// With IPSE_BACKEND=https://127.0.0.1:8443 the pages talk to a real server instead.
const backend = process.env["IPSE_BACKEND"];

export default defineConfig({
  plugins: [compressed(), ...(backend ? [] : [mockServer()])],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  server: {
    host: "localhost",
    fs: { allow: [".", "../face/pack/default"] },
    ...(backend
      ? { proxy: { "/api": { target: backend, secure: false, ws: true }, "/demo": { target: backend, secure: false } } }
      : {}),
  },
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What compresses takes its time, and whoever tries Ipse out need not know.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 60_000, // of a busy machine
    hookTimeout: 60_000,
  },
});
