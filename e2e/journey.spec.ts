// The main path: from the start page to an account that only the person can open.
import { readFile } from "node:fs/promises";
import { installCamera } from "./camera.ts";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";

test("a person proves who they are in front of a camera and gets an account that only they can open", async ({ page, ipse }) => {
  await installCamera(page, { dir: "people/p05/live", play: "follow" });
  await addAuthenticator(page);
  const anna = new Person(page);

  await anna.takeDoor("camera");
  await expect(page.getByRole("checkbox", { name: en["consent.tick"] })).not.toBeChecked();
  await inspect(page);
  await anna.agree();
  await inspect(page);

  const [receipt] = await Promise.all([page.waitForEvent("download"), anna.button("consent.save").click()]);
  const signed = JSON.parse(await readFile(await receipt.path(), "utf8")) as { payload: string; signature: string };
  expect(Buffer.from(signed.payload, "base64url").toString()).toContain("identity_proofing");
  expect(signed.signature.length).toBeGreaterThan(80);

  await anna.readSpecimen();
  await expect(page.getByText("ERIKSSON")).toHaveCount(0);
  await anna.button("document.show").click();
  await expect(page.getByText("ERIKSSON")).toBeVisible();
  await inspect(page);

  await anna.button("document.to_face").click();
  await inspect(page);
  await anna.startCheck("camera");
  await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(en["face.frames"])).toBeInViewport();
  await expect(anna.button("app.counter_instead")).toBeInViewport();
  await expect(anna.button("app.stop")).toBeInViewport();
  await inspect(page);
  await anna.expectAccepted();
  expect(await ipse.resident(), "MB with the models, after a check").toBeLessThanOrEqual(250);
  await expect(page.getByTestId("level")).toContainText(en["level.high"]);
  await inspect(page);

  const code = await anna.makePasskey();
  await inspect(page);
  await anna.typeGroupBack(code);
  await expect(page.getByText(en["me.locked"])).toBeVisible();
  await inspect(page);
  await anna.openMine();
  await expect(page.getByText("ERIKSSON")).toHaveCount(0);
  await anna.button("me.show").click();
  await expect(page.getByText("ERIKSSON")).toBeVisible();
  await inspect(page);
});

test("a person without a camera gets a case code for the counter", async ({ page }) => {
  const anna = new Person(page);
  await anna.takeDoor("counter");
  await inspect(page);
  await anna.agree();
  await anna.readSpecimen();
  await anna.button("document.to_counter").click();
  await expect(page).toHaveURL(/\/counter$/);
  await expect(page.getByText("Town hall")).toBeVisible();
  await inspect(page);
});

test("a newcomer's own camera gives the specimen its portrait, and then takes the check", async ({ page }) => {
  await installCamera(page, { dir: "people/p02/live", play: "follow" });
  const anna = new Person(page);
  await anna.takeDoor("camera");
  await anna.agree();
  await page.getByRole("radio", { name: en["demo.self"] }).check();
  await expect(anna.button("demo.use")).toHaveAttribute("aria-disabled", "true");
  await expect.poll(() => page.locator("video").evaluate((v: HTMLVideoElement) => v.videoWidth)).toBeGreaterThan(0);
  await anna.button("demo.take").click();
  await expect(page.getByRole("img", { name: en["demo.taken"] })).toBeVisible();
  await inspect(page);
  await anna.readSpecimen();
  await anna.button("document.to_face").click();
  // What was chosen for the passport is kept for the camera.
  await expect(page.getByRole("radio", { name: en["demo.mine"] })).toBeChecked();
  await anna.startCheck("camera");
  await anna.expectAccepted();
});
