// The pages for everybody: keyboard alone, a narrow screen, the dark, French.
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en, fr } from "./person.ts";

/** Presses Tab until the focus is where it is wanted; every stop on the way must be visible. */
async function tabTo(page: import("@playwright/test").Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const style = getComputedStyle(element.closest("label") ?? element);
      const own = getComputedStyle(element);
      return { name: (element.closest("label") ?? element).textContent ?? "", ring: Math.max(parseFloat(style.outlineWidth), parseFloat(own.outlineWidth)), seen: element.checkVisibility() };
    });
    if (at === null) continue;
    expect(at.ring, `focus ring on ${at.name}`).toBeGreaterThanOrEqual(3);
    expect(at.seen).toBe(true);
    if (name.test(at.name.trim())) return;
  }
  throw new Error(`the keyboard does not reach ${String(name)}`);
}

test("start and consent by keyboard alone", async ({ page }) => {
  await page.goto("/");
  await inspect(page);
  await tabTo(page, new RegExp(`^${en["start.camera"]}`));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/prove\/consent$/);
  // The title has the focus, so that a screen reader says where one is.
  await expect(page.locator("h1")).toBeFocused();
  await expect(page).toHaveTitle(/^Step 1 of 6/);
  await tabTo(page, new RegExp(en["consent.record"]));
  await page.keyboard.press("Enter");
  await expect(page.getByText(en["consent.withdraw"])).toBeVisible();
  await tabTo(page, new RegExp(`^${en["consent.agree"]}`));
  await page.keyboard.press("Enter");
  await expect(page.getByText(en["consent.tick_missing"])).toBeVisible();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/prove\/document$/);
  await expect(page.locator("h1")).toBeFocused();
});

test.describe("on a narrow screen, in the dark, in French", () => {
  test.use({ viewport: { width: 320, height: 640 }, colorScheme: "dark", locale: "fr-FR" });

  test("the whole path fits and is said in French", async ({ page }) => {
    await addAuthenticator(page);
    const anne = new Person(page, fr);
    await page.goto("/");
    await expect(page.locator("html")).toHaveAttribute("lang", "fr");
    await inspect(page);
    await anne.takeDoor("camera");
    await inspect(page);
    await anne.agree();
    await inspect(page);
    await anne.readSpecimen();
    await anne.button("document.show").click();
    await inspect(page);
    await anne.button("document.to_face").click();
    await inspect(page);
    await anne.startCheck("demo person");
    await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
    await inspect(page);
    await anne.expectAccepted();
    await inspect(page);
    const code = await anne.makePasskey();
    await inspect(page);
    await anne.typeGroupBack(code);
    await anne.openMine();
    await anne.button("me.show").click();
    await inspect(page);
    await page.goto("/recover");
    await inspect(page);
    await page.goto("/nulle-part");
    await inspect(page);
  });
});

test("the language is chosen once and kept", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "FR Français" }).click();
  await expect(page.getByRole("heading", { name: fr["start.title"] })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: fr["start.title"] })).toBeVisible();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the page says what is needed, and that a counter does the same", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Ipse needs JavaScript here" })).toBeInViewport();
    await expect(page.getByRole("heading", { name: "Ipse a besoin de JavaScript ici" })).toBeInViewport();
    await expect(page.locator("noscript p").first()).toBeInViewport();
  });
});
