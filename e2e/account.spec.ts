// What the owner of an account can do with it, and who else cannot.
import { readFile } from "node:fs/promises";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";

test("a lost passkey is replaced with the recovery code; then the account is exported and erased", async ({ page }) => {
  const lost = await addAuthenticator(page);
  const anna = new Person(page);
  const code = await anna.getAccount();

  // Another device, with nothing on it.
  await lost.remove();
  const other = await addAuthenticator(page);
  await page.context().clearCookies();
  await page.goto("/recover");
  await page.getByLabel(en["recover.code"]).fill(`${code.slice(0, -1)}${code.endsWith("0") ? "1" : "0"}`);
  await anna.button("recover.open").click();
  await expect(page.getByText(en["problem.recovery_refused.what"])).toBeVisible();
  await page.getByLabel(en["recover.code"]).fill(code.toLowerCase().replaceAll("-", " "));
  await anna.button("recover.open").click();
  await expect(anna.heading("recover.opened")).toBeVisible();
  await inspect(page);
  await page.getByLabel(en["passkey.name"]).fill("My new phone");
  await anna.button("passkey.create").click();
  await expect(page).toHaveURL(/\/me$/);

  await anna.openMine();
  await anna.button("me.show").click();
  await expect(page.getByText("ERIKSSON")).toBeVisible();
  await page.getByRole("button", { name: en["me.passkey_remove_label"].replace("{name}", en["passkey.name_default"]) }).click();
  await page.getByRole("dialog").getByRole("button", { name: en["me.passkey_remove"] }).click();
  await expect(anna.section("me.passkeys").getByText(en["passkey.name_default"], { exact: true })).toHaveCount(0);
  await expect(anna.section("me.passkeys").getByText("My new phone")).toBeVisible();

  await anna.button("me.recovery_new").click();
  const fresh = await anna.readCode();
  expect(fresh.join("-")).not.toBe(code);
  await anna.typeGroupBack(fresh);
  await expect(page.getByTestId("recovery-code")).toHaveCount(0);

  const [file] = await Promise.all([page.waitForEvent("download"), anna.button("me.export_button").click()]);
  const exported = JSON.parse(await readFile(await file.path(), "utf8")) as { attributes: Record<string, unknown>; passkeys: unknown[] };
  expect(exported.attributes["family_name"]).toBe("ERIKSSON");
  expect(exported.passkeys).toHaveLength(1);

  await anna.button("me.erase_button").click();
  await page.getByRole("dialog").getByRole("button", { name: en["me.erase_yes"] }).click();
  await expect(anna.heading("me.erased_title")).toBeVisible();
  await inspect(page);
  await page.goto("/me");
  await anna.button("me.unlock").click();
  await expect(page.getByText(en["problem.passkey_refused.what"])).toBeVisible();
  await other.remove();
});

test("a device whose passkey cannot lock data is told so, and nothing is saved", async ({ page }) => {
  await addAuthenticator(page, { prf: false });
  const anna = new Person(page);
  await anna.reachCamera();
  await anna.startCheck("demo person");
  await anna.expectAccepted();
  await anna.button("result.to_passkey").click();
  await anna.button("passkey.create").click();
  await expect(page.getByText(en["problem.prf_unsupported.what"])).toBeVisible();
  await expect(page).toHaveURL(/\/prove\/passkey$/);
  await inspect(page);
});
