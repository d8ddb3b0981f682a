// The main path: from the start page to an account that only the person can open.
import { readFile } from "node:fs/promises";
import { installCamera } from "./camera.ts";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { agree, en, expectAccepted, makeAccount, openMine, readSpecimen, startCheck, takeDoor } from "./journey.ts";
import { addAuthenticator } from "./passkey.ts";

test("a person proves who they are in front of a camera and gets an account that only they can open", async ({ page }) => {
  await installCamera(page, { dir: "people/p02/live", play: "follow" });
  await addAuthenticator(page);

  await takeDoor(page, "camera");
  await expect(page.getByRole("checkbox", { name: en["consent.tick"] })).not.toBeChecked();
  await inspect(page);
  await agree(page);
  await inspect(page);

  const [receipt] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: en["consent.save"] }).click()]);
  expect((await readFile(await receipt.path(), "utf8")).length).toBeGreaterThan(200);

  await readSpecimen(page);
  await expect(page.getByText("ERIKSSON")).toHaveCount(0);
  await page.getByRole("button", { name: en["document.show"] }).click();
  await expect(page.getByText("ERIKSSON")).toBeVisible();
  await inspect(page);

  await page.getByRole("button", { name: en["document.to_face"] }).click();
  await inspect(page);
  await startCheck(page, "camera");
  await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(en["face.frames"])).toBeInViewport();
  await expect(page.getByRole("button", { name: en["app.counter_instead"] })).toBeInViewport();
  await expect(page.getByRole("button", { name: en["app.stop"] })).toBeInViewport();
  await inspect(page);
  await expectAccepted(page);
  await expect(page.getByTestId("level")).toContainText(en["level.high"]);
  await inspect(page);

  await makeAccount(page);
  await expect(page.getByText(en["me.locked"])).toBeVisible();
  await inspect(page);
  await openMine(page);
  await expect(page.getByText("ERIKSSON")).toHaveCount(0);
  await page.getByRole("button", { name: en["me.show"], exact: true }).click();
  await expect(page.getByText("ERIKSSON")).toBeVisible();
  await inspect(page);
});
