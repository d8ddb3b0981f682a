// A check keeps its place: over a reload, and over a restart of the server.
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";

test("each step survives a reload, and an address of another step leads to the right one", async ({ page }) => {
  await addAuthenticator(page);
  const anna = new Person(page);
  await anna.takeDoor("camera");
  await page.reload();
  await expect(page).toHaveURL(/\/prove\/consent$/);
  await expect(page.getByRole("checkbox", { name: en["consent.tick"] })).not.toBeChecked();
  await anna.agree();
  await page.reload();
  await expect(anna.heading("document.title")).toBeVisible();
  await anna.readSpecimen();
  await page.reload();
  await expect(page).toHaveURL(/\/prove\/document$/);
  await expect(anna.heading("document.done")).toBeVisible();
  await anna.button("document.to_face").click();
  await page.reload();
  await expect(anna.heading("face.title")).toBeVisible();

  // In the middle of the live check: back to the page before it.
  await anna.startCheck("demo person");
  await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
  await page.reload();
  await expect(anna.heading("face.title")).toBeVisible();
  await page.goto("/prove/passkey");
  await expect(page).toHaveURL(/\/prove\/face$/);
  await page.goto("/");
  await page.getByRole("link", { name: en["start.resume"] }).click();
  await expect(page).toHaveURL(/\/prove\/face$/);

  await anna.startCheck("demo person");
  await anna.expectAccepted();
  await page.reload();
  await anna.expectAccepted();
  await anna.makePasskey();
  await page.reload();
  await expect(anna.heading("recovery.again_title")).toBeVisible();
  await inspect(page);
});

test("a restart of the server loses nothing that was agreed and says what has to be done again", async ({ page, ipse }) => {
  const anna = new Person(page);
  await anna.reachCamera();
  await ipse.stop("SIGKILL");
  await ipse.run();
  await page.reload();
  // What the chip said was in memory only: the document is read again, without a new consent.
  await expect(page).toHaveURL(/\/prove\/document$/);
  await expect(anna.heading("document.title")).toBeVisible();
  await inspect(page);
  await anna.readSpecimen();
});

test("a server that is away is said to be away, with a way on", async ({ page, ipse }) => {
  const anna = new Person(page);
  await anna.takeDoor("camera");
  await ipse.stop();
  await page.getByRole("checkbox", { name: en["consent.tick"] }).check();
  await anna.button("consent.agree").click();
  await expect(page.getByText(en["problem.network.what"])).toBeVisible();
  await ipse.run();
  await anna.button("consent.agree").click();
  await expect(page).toHaveURL(/\/prove\/document$/);
});

test("a browser that has lost its session, and one that never had one, are told where to begin", async ({ page }) => {
  const anna = new Person(page);
  await page.goto("/prove/face");
  await expect(page.getByText(en["problem.no_proofing.what"])).toBeVisible();
  await inspect(page);
  await anna.takeDoor("camera");
  await page.context().clearCookies();
  await page.reload();
  await expect(page.getByText(en["problem.no_proofing.what"])).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: en["app.home"] }).click();
  await expect(page).toHaveURL(/\/$/);
});

test("stopping erases and says so", async ({ page }) => {
  const anna = new Person(page);
  await anna.reachCamera();
  await anna.button("app.stop").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await anna.button("app.stop").click();
  await page.getByRole("dialog").getByRole("button", { name: en["app.stop"] }).click();
  await expect(anna.heading("result.title_abandoned")).toBeVisible();
  await inspect(page);
  expect((await page.request.get("/api/proofing/attributes")).ok()).toBe(false);
});
