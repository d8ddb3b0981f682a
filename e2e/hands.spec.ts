// What people do besides what they are asked: going back, a second tab, a camera that
// they refuse, a passkey that they cancel.
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";

test("back in the middle of the check, a second tab, a cancelled passkey: each is told what to do and loses nothing", async ({ page, context }) => {
  await addAuthenticator(page);
  const anna = new Person(page);
  await anna.reachCamera();
  await anna.startCheck("demo person");
  await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
  await page.goBack();
  await expect(page.locator("[data-action]")).toHaveCount(0);
  await expect(anna.heading("document.done")).toBeVisible();
  await page.goForward();
  await expect(anna.heading("face.title")).toBeVisible();

  // A second tab of the same browser follows the same check and cannot run a second one beside it.
  const tab = await context.newPage();
  const second = new Person(tab);
  await tab.goto("/prove/face");
  await anna.startCheck("demo person");
  await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
  await second.startCheck("demo person");
  await expect(tab.getByRole("alert")).toContainText(en["problem.wrong_state.means"]);
  await inspect(tab);
  await page.bringToFront(); // browsers slow down what nobody looks at
  await anna.expectAccepted();
  await second.expectAccepted();
  await tab.close();

  await page.evaluate(() => {
    const { credentials } = navigator;
    const create = credentials.create.bind(credentials);
    credentials.create = () => {
      credentials.create = create;
      return Promise.reject(new DOMException("cancelled", "NotAllowedError"));
    };
  });
  await anna.button("result.to_passkey").click();
  await anna.button("passkey.create").click();
  await expect(page.getByText(en["problem.passkey_cancelled.what"])).toBeVisible();
  await inspect(page);
  await anna.button("passkey.create").click();
  await anna.readCode();
});

test("a camera that is refused, in use or absent is named, with the counter beside; then it is allowed", async ({ page }) => {
  await page.addInitScript(() => {
    const faults = ["NotAllowedError", "NotReadableError", "NotFoundError"];
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (constraints) => {
      const fault = faults.shift();
      return fault === undefined ? open(constraints) : Promise.reject(new DOMException("", fault));
    };
  });
  const anna = new Person(page);
  await anna.reachCamera();
  await page.getByRole("radio", { name: en["demo.mine"] }).check();
  for (const fault of ["refused", "in_use", "none"] as const) {
    await page.getByRole("button", { name: new RegExp(`^(${en["face.start"]}|${en["app.again"]})$`) }).first().click();
    await expect(page.getByRole("alert")).toContainText(en[`camera.${fault}.what`]);
    await expect(anna.button("app.counter_instead").first()).toBeVisible();
    await inspect(page);
  }
  await page.getByRole("button", { name: new RegExp(`^(${en["face.start"]}|${en["app.again"]})$`) }).first().click();
  await expect(page.locator("video")).toBeVisible({ timeout: 30_000 });
  expect(await page.locator("video").count()).toBe(1);
});
