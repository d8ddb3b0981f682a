import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import path from "node:path";
import { tmpdir } from "node:os";
import { installCamera } from "./camera.ts";
import { test, expect } from "@playwright/test";
import { Person, en } from "./person.ts";
import { Program, command } from "./program.ts";
test("rss", async ({ page }) => {
  test.setTimeout(200000);
  const dir = path.join(await mkdtemp(path.join(tmpdir(), "rss-")), "spec");
  await command("passport", "specimen", "new", "--out", dir, "--portrait", "testdata/people/people/p05/portrait.jpg", "--expiry", "341231");
  const p = await Program.start({ trust: path.join(dir, "trust") });
  const rss = (what: string) => { const pid = execFileSync("pgrep", ["-f", `serve --config ${p.config}`]).toString().trim().split("\n")[0]; console.log(what, execFileSync("bash", ["-c", `grep -E 'VmRSS|VmHWM|RssAnon' /proc/${pid}/status | tr '\\n' ' '`]).toString()); };
  await new Promise((r) => setTimeout(r, 2000)); rss("idle");
  await p.stop(); const t = Date.now(); await p.run(); console.log("ready ms (spawn to /readyz, polled every 25)", Date.now() - t); await new Promise((r) => setTimeout(r, 1500)); rss("idle second start");
  await installCamera(page, { dir: "people/p05/live", play: "follow" });
  const anna = new Person(page);
  await page.goto(p.url); await page.getByRole("button", { name: /^With my camera/ }).click(); await anna.agree();
  const r = p.lendReader(await page.getByTestId("pairing-code").innerText(), dir);
  await expect(page.getByText(en["document.reader_ok"])).toBeVisible();
  await page.getByLabel(en["document.number"]).fill("L898902C3"); await anna.typeDate("document.birth", "1974-08-12"); await anna.typeDate("document.expiry", "2034-12-31");
  await anna.button("document.read").click(); await expect(anna.heading("document.done")).toBeVisible({ timeout: 30000 }); await r.stop(); rss("document read, models loaded");
  await anna.button("document.to_face").click(); await anna.button("face.start").click();
  for (let i = 0; i < 2; i++) { await anna.heading("result.title_accepted").or(page.getByRole("alert")).waitFor({ timeout: 90000 }); rss("after a check"); if (await anna.heading("result.title_accepted").isVisible()) break; await anna.button("app.again").click(); }
  await p.remove();
});
