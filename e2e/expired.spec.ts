// Time that really runs out at the server: its clock is moved, nothing is waited for.
import { test as base, expect } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";
import { Program } from "./program.ts";

const test = base.extend({
  ipse: async ({}, use) => {
    const program = await Program.start({ clock: true });
    try {
      await use(program);
    } finally {
      await program.remove();
    }
  },
});

test("a check whose time is over says so at once, keeps nothing, and leads on", async ({ page, ipse }) => {
  const anna = new Person(page);
  await anna.reachCamera();
  expect((await page.request.get("/api/proofing/attributes")).ok()).toBe(true);
  await ipse.pass("31m");
  // In a page that is open, without a touch; and in one that is opened again.
  await expect(page.getByText(en["result.expired_text"])).toBeVisible({ timeout: 30_000 });
  await inspect(page);
  await page.reload();
  await expect(page.getByText(en["result.expired_text"])).toBeVisible();
  const origin = { Origin: ipse.url };
  expect((await page.request.get("/api/proofing/attributes")).status()).toBe(409);
  expect((await page.request.post("/api/proofing/account/options", { data: {}, headers: origin })).status()).toBe(409);
  for (const step of ["consent", "document", "face", "passkey"]) {
    await page.goto(`/prove/${step}`);
    await expect(page).toHaveURL(/\/prove\/result$/);
  }
  await anna.button("result.restart").click();
  await expect(page).toHaveURL(/\/prove\/consent$/);
  await anna.agree();
});

test("time that runs out in the middle of the camera's check ends it; nothing is half done", async ({ page, ipse }) => {
  const anna = new Person(page);
  await anna.reachCamera();
  await anna.startCheck("demo person");
  await expect(page.locator("[data-action]")).toBeVisible({ timeout: 30_000 });
  await ipse.pass("31m");
  await expect(page.getByText(en["result.expired_text"])).toBeVisible({ timeout: 60_000 });
  expect((await page.request.post("/api/proofing/account/options", { data: {}, headers: { Origin: ipse.url } })).status()).toBe(409);
});

test("whoever chose the counter begins at the counter again", async ({ page, ipse }) => {
  const anna = new Person(page);
  await anna.takeDoor("counter");
  await anna.agree();
  await ipse.pass("2h");
  await expect(page.getByText(en["result.expired_text"])).toBeVisible({ timeout: 30_000 });
  await expect(anna.button("start.camera")).toBeVisible();
  await anna.button("result.restart").click();
  await expect(page.getByText("No camera is used")).toBeVisible();
});

test("a login that took too long is said to be over; the session of My Ipse ends", async ({ page, ipse }) => {
  await addAuthenticator(page);
  const anna = new Person(page);
  await anna.getAccount();
  await page.goto(ipse.service("Utopia Revenue Service"));
  await page.getByRole("link", { name: "Log in with Ipse" }).click();
  await anna.button("login.open").click();
  await expect(anna.button("login.yes")).toBeVisible();
  await ipse.pass("20m");
  await anna.button("login.yes").click();
  await expect(page.getByRole("alert")).toContainText(en["problem.login_unknown.what"]);
  await inspect(page);
  await anna.openMine();
  expect((await page.request.get("/api/account")).status()).toBe(200);
  await ipse.pass("25h");
  expect((await page.request.get("/api/account")).status()).toBe(401);
  await page.reload();
  await expect(anna.button("me.unlock")).toBeVisible();
});
