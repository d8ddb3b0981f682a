// Guidance on the device: what it says, what it lets leave the browser, and that
// nobody is shut out by it.
import type { Page } from "@playwright/test";
import { installCamera, type Scene } from "./camera.ts";
import { Channel } from "./channel.ts";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { Person, en, fr } from "./person.ts";

/** Where to put pictures of the live check, if anywhere. */
const shots = process.env["IPSE_SHOTS"];
const live: Scene = { dir: "people/p02/live", play: "follow" };
const beside = { portrait: "people/p09/portrait.jpg", left: 530, top: 60, right: 610 };

/** Reaches the live check with the server's end of the channel in the test's hands. */
async function goLive(page: Page, scene: Scene, t: typeof en | typeof fr = en): Promise<Channel> {
  await installCamera(page, scene);
  const someone = new Person(page, t);
  await someone.reachCamera();
  const channel = await Channel.take(page);
  await someone.startCheck("camera");
  await expect(page.locator("[data-action=center]")).toBeVisible({ timeout: 30_000 });
  return channel;
}

/** Mean difference of neighbouring points, 0 to 255, in a part of a JPEG picture: what is fine in it. */
async function detail(page: Page, jpeg: Buffer, box: { x: number; y: number; w: number; h: number }): Promise<number> {
  return page.evaluate(async ({ base64, x, y, w, h }) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    if (context === null) throw new Error("no canvas");
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(x, y, w, h);
    let sum = 0;
    for (let i = 4; i < data.length; i += 4) sum += Math.abs((data[i + 1] ?? 0) - (data[i - 3] ?? 0));
    return sum / (w * h);
  }, { base64: jpeg.toString("base64"), ...box });
}

test("who stands by is covered before a frame leaves the browser, and the person is not", async ({ page }) => {
  const channel = await goLive(page, { ...live, beside });
  // The person sees what is covered, and reads it.
  await expect(page.locator("rect.covered")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(en["face.covered"])).toBeVisible();
  if (shots !== undefined) await page.screenshot({ path: `${shots}/covered.png` });
  const frames = await channel.next(10);
  // The bystander's face, well within what is covered; the person's eyes.
  const theirs = { x: 550, y: 85, w: 40, h: 45 };
  const own = { x: 260, y: 220, w: 120, h: 50 };
  const bare = await page.evaluate(async (b) => {
    const picture = await createImageBitmap(await (await fetch("/__camera/beside")).blob());
    const canvas = new OffscreenCanvas(640, 480);
    canvas.getContext("2d")?.drawImage(picture, b.left, b.top, b.right - b.left, ((b.right - b.left) * picture.height) / picture.width);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
    return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
  }, beside);
  const fine = await detail(page, Buffer.from(bare, "base64"), theirs);
  for (const jpeg of frames) {
    expect(await detail(page, jpeg, theirs)).toBeLessThan(fine / 8);
    expect(await detail(page, jpeg, own)).toBeGreaterThan(2);
  }
  await page.setViewportSize({ width: 320, height: 640 });
  await inspect(page);
  await expect(new Person(page).button("app.counter_instead")).toBeInViewport();
});

test("while somebody else is near no frame leaves, the person is told, and after a while the check ends with a way on", async ({ page }) => {
  const channel = await goLive(page, { dir: "attacks/twofaces_p02_p09", play: "follow" });
  await expect(page.locator("[data-hint=one_person_only]")).toBeVisible({ timeout: 30_000 });
  await expect(page.locator("[data-spoken]")).toHaveText(en["hint.one_person_only"]);
  const before = channel.frames.length;
  const someone = new Person(page);
  await someone.expectRefused(["several_faces"]);
  // A frame in which the detector misses the second face may slip through; a stream of them may not.
  expect(channel.frames.length - before).toBeLessThan(10);
  // The worker and all that it held are gone with the check.
  expect(page.workers()).toHaveLength(0);
  await expect(someone.button("app.again")).toBeVisible();
  await expect(someone.button("app.counter_instead")).toBeVisible();
});

test("without WebAssembly the check goes on as before and says nothing of it", async ({ page }) => {
  await page.route("**/assets/*.wasm", (route) => route.abort());
  const channel = await goLive(page, { ...live, beside });
  await channel.next(20);
  expect(page.workers()).toHaveLength(0);
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(page.locator("[data-hint]")).toHaveCount(0);
});

test("the guide is fetched on the page before the camera and nowhere else, and only once", async ({ page }) => {
  const fetched: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (/\.(wasm|onnx)$|guide/.test(pathname)) fetched.push(pathname.replace(/^.*\.|^.*\/(guide(?:-worker)?).*$/, "$1"));
  });
  await installCamera(page, live);
  const someone = new Person(page);
  await someone.takeDoor("camera");
  await someone.agree();
  await someone.readSpecimen();
  expect(fetched).toEqual([]);
  const started = page.waitForEvent("worker", { timeout: 30_000 });
  await someone.button("document.to_face").click();
  // The worker that sees the pictures can neither load nor send anything. It is asked at
  // once: on a device that is too slow for it the page ends it after ten looks.
  const worker = await started;
  const [reached, evaluated] = await Promise.all([
    worker.evaluate(() => fetch("/").then(() => "reached", () => "refused")),
    // Not at once: the browser lets a debugger's own call evaluate strings.
    worker.evaluate(() => new Promise((resolve) => setTimeout(() => {
      try {
        resolve(typeof globalThis.eval("1"));
      } catch {
        resolve("refused");
      }
    }, 0))),
  ]);
  expect([reached, evaluated]).toEqual(["refused", "refused"]);
  expect(fetched.length).toBe(5);
  const answers = await page.evaluate(() => performance.getEntriesByType("resource").filter((e) => /\.(wasm|onnx)$/.test(e.name)).map((e) => e.name));
  for (const address of answers) {
    const answer = await page.request.head(address);
    expect(answer.headers()["cache-control"]).toContain("immutable");
  }
});

for (const [language, t] of [["en-GB", en], ["fr-FR", fr]] as const) {
  test.describe(`the live check, ${language}`, () => {
    test.use({ locale: language });

    test("is for everybody: at 320, 390 and 1280 px, light and dark, with the counter in reach and said in words", async ({ page }) => {
      const channel = await goLive(page, live, t);
      channel.say({ type: "step_done", index: 0 });
      channel.instruct("turnLeft", 1);
      await expect(page.locator("[data-action=turnLeft]")).toHaveText(t["action.turnLeft"]);
      const someone = new Person(page, t);
      for (const colorScheme of ["light", "dark"] as const) {
        for (const [width, height] of [[320, 640], [390, 760], [1280, 800]] as const) {
          await page.setViewportSize({ width, height });
          await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
          // Something to say, again and again: the server's hints fade.
          const hint = setInterval(() => { channel.say({ type: "hint", hint: "light_behind" }); }, 500);
          await expect(page.locator("[data-hint=light_behind]")).toHaveText(t["hint.light_behind"]);
          await inspect(page);
          await expect(someone.button("app.counter_instead")).toBeInViewport();
          await expect(someone.button("app.stop")).toBeInViewport();
          await expect(page.locator("[data-action]")).toBeInViewport();
          // Whoever asked for less motion sees none.
          expect(await page.evaluate(() => document.getAnimations().filter((a) => Number(a.effect?.getTiming().duration ?? 0) > 10).length)).toBe(0);
          if (shots !== undefined) await page.screenshot({ path: `${shots}/live-${language}-${colorScheme}-${String(width)}.png` });
          clearInterval(hint);
        }
      }
      // By keyboard alone to the counter, from the middle of the check.
      for (let i = 0; i < 8; i++) {
        await page.keyboard.press("Tab");
        if (await someone.button("app.counter_instead").evaluate((e) => e === document.activeElement)) break;
      }
      await expect(someone.button("app.counter_instead")).toBeFocused();
      await page.keyboard.press("Enter");
      await expect(page.getByRole("dialog")).toBeVisible();
      await page.getByRole("dialog").getByRole("button", { name: t["app.counter_yes"] }).click();
      await expect(page).toHaveURL(/\/prove\/consent$/);
    });
  });
}
