// The pictures of the README and the docs: the real program, the rendered demo
// person. Run after `make build` with `npm run screenshots`; commit what changed.
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";

const folder = path.resolve(import.meta.dirname, "..", "docs", "img");

/** Saves what the window shows. */
async function picture(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: path.join(folder, `${name}.png`), animations: "disabled" });
}

/** Follows the demo person until they are about to do what the page asks. */
async function performing(page: Page, action: string): Promise<void> {
  await page.locator(`[data-action=${action}]`).waitFor({ timeout: 60_000 });
  await page.waitForTimeout(650);
}

for (const scheme of ["light", "dark"] as const) {
  const suffix = scheme === "light" ? "" : "-dark";
  test.describe(scheme, () => {
    test.use({ viewport: { width: 1120, height: 860 }, colorScheme: scheme });

    test("start, camera, result, login", async ({ page, ipse }) => {
      await addAuthenticator(page);
      const anna = new Person(page);
      await page.goto("/");
      await expect(anna.heading("start.title")).toBeVisible();
      await picture(page, `start${suffix}`);
      await anna.reachCamera();
      await anna.startCheck("demo person");
      await performing(page, "turnLeft");
      await picture(page, `face${suffix}`);
      if (scheme === "dark") return; // the others differ by their colours alone
      await anna.expectAccepted();
      const code = await anna.makePasskey();
      await anna.typeGroupBack(code);
      await anna.openMine();
      await picture(page, "my-ipse");
      await page.goto(ipse.service("Utopia Revenue Service"));
      await page.getByRole("link", { name: "Log in with Ipse" }).click();
      await anna.button("login.open").click();
      await page.getByRole("switch").first().check();
      await page.setViewportSize({ width: 1120, height: 1180 });
      await page.evaluate(() => { window.scrollTo(0, 0); });
      await picture(page, "login");
    });
  });
}

test.describe("phone", () => {
  test.use({ viewport: { width: 375, height: 760 }, colorScheme: "light", deviceScaleFactor: 1.5 });

  test("camera", async ({ page }) => {
    const anna = new Person(page);
    await anna.reachCamera();
    await anna.startCheck("demo person");
    await performing(page, "turnLeft");
    await expect(page.getByText(en["face.frames"])).toBeInViewport();
    await picture(page, "face-phone");
  });
});
