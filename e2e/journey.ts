// The steps of a check, as a person takes them. Texts come from the message files,
// so that a test says what is meant and survives a better wording.
import { expect, type Page } from "@playwright/test";
import { en } from "../web/src/i18n/en.ts";

export { en };

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** Opens the start page and takes one of the two doors. */
export async function takeDoor(page: Page, door: "camera" | "counter"): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: new RegExp(`^${en[`start.${door}`]}`) }).click();
  await expect(page).toHaveURL(/\/prove\/consent$/);
}

export async function agree(page: Page): Promise<void> {
  await page.getByRole("checkbox", { name: en["consent.tick"] }).check();
  await button(page, en["consent.agree"]).click();
  await expect(page).toHaveURL(/\/prove\/document$/);
}

/** Lays a rendered person's specimen passport on its reader and has it read; the page itself offers p02. */
export async function readSpecimen(page: Page, holder = "p02"): Promise<void> {
  if (holder !== "p02") await page.route("**/demo/api/passport", (route) => route.continue({ postData: JSON.stringify({ person: holder }) }));
  await button(page, en["demo.use"]).click();
  await expect(page.getByText(en["document.reader_ok"])).toBeVisible();
  await button(page, en["document.read"]).click();
  await expect(page.getByRole("heading", { name: en["document.done"] })).toBeVisible({ timeout: 30_000 });
}

/** From the start page to the page before the camera. */
export async function reachCamera(page: Page, holder = "p02"): Promise<void> {
  await takeDoor(page, "camera");
  await agree(page);
  await readSpecimen(page, holder);
  await button(page, en["document.to_face"]).click();
  await expect(page).toHaveURL(/\/prove\/face$/);
}

/** Chooses who stands before the camera and starts the live check. */
export async function startCheck(page: Page, who: "demo person" | "camera"): Promise<void> {
  await page.getByRole("radio", { name: en[who === "camera" ? "demo.mine" : "demo.play"] }).check();
  await button(page, en[who === "camera" ? "face.start" : "face.start_demo"]).click();
}

/** Waits until the check has been accepted. */
export async function expectAccepted(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { name: en["result.title_accepted"] })).toBeVisible({ timeout: 90_000 });
}

export type Reason = "not_live" | "not_same_person" | "instructions_not_followed" | "several_faces" | "poor_quality" | "timeout";

/** Waits until a live check has been refused for one of these reasons. */
export async function expectRefused(page: Page, reasons: readonly Reason[]): Promise<void> {
  const words = reasons.map((r) => en[`reason.${r}.what`]);
  const alert = page.getByRole("alert").filter({ hasText: en["face.refused_title"] });
  await expect(alert).toBeVisible({ timeout: 90_000 });
  const said = await alert.innerText();
  expect(words.some((w) => said.includes(w)), `one of ${reasons.join(", ")} in: ${said}`).toBe(true);
}

/** Creates the passkey and notes the recovery code as asked; returns the code. */
export async function makeAccount(page: Page): Promise<string> {
  await button(page, en["result.to_passkey"]).click();
  await button(page, en["passkey.create"]).click();
  const groups = page.getByTestId("recovery-code").locator(".group");
  await expect(groups).toHaveCount(8, { timeout: 30_000 });
  const code = await groups.allInnerTexts();
  await typeGroupBack(page, code);
  await expect(page).toHaveURL(/\/me$/);
  return code.join("-");
}

/** Types the group of the recovery code that the page asks for. */
export async function typeGroupBack(page: Page, code: string[]): Promise<void> {
  const [before = "", after = ""] = en["recovery.confirm"].split("{group}");
  const field = page.getByLabel(new RegExp(`^${before}(\\d)${after}$`));
  const label = await page.locator("label").filter({ hasText: new RegExp(`^${before}\\d`) }).innerText();
  await field.fill(code[Number(label.replace(/\D/g, "")) - 1] ?? "");
  await button(page, en["recovery.done"]).click();
}

/** Opens My Ipse with the passkey. */
export async function openMine(page: Page): Promise<void> {
  await page.goto("/me");
  await button(page, en["me.unlock"]).click();
  await expect(page.getByRole("heading", { name: en["me.attributes"] })).toBeVisible();
}
