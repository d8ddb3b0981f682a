// Who is not the person of the portrait, or is nobody, does not get in; and is told
// the kind of reason, what to try, and where the counter is.
import { installCamera, type Scene } from "./camera.ts";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { Person, type Reason } from "./person.ts";

interface Attempt {
  what: string;
  holder: string;
  scene: Scene;
  reasons: readonly Reason[];
}

const attempts: Attempt[] = [
  { what: "another person, live", holder: "p02", scene: { dir: "people/p05/live", play: "follow" }, reasons: ["not_same_person"] },
  { what: "a printed photograph held to the camera", holder: "p02", scene: { dir: "attacks/print_p02", play: "follow" }, reasons: ["not_live", "timeout", "instructions_not_followed"] },
  { what: "a video of the person on a screen", holder: "p05", scene: { dir: "attacks/screen_p05", play: "follow" }, reasons: ["not_live", "timeout", "instructions_not_followed"] },
  { what: "a mask of the person, worn by another", holder: "p02", scene: { dir: "attacks/mask_p02_by_p12", play: "follow" }, reasons: ["not_live", "timeout", "not_same_person", "instructions_not_followed"] },
  { what: "a recording that does not follow the instructions", holder: "p02", scene: { dir: "attacks/order_p02", play: "loop" }, reasons: ["instructions_not_followed", "timeout", "not_live"] },
  { what: "two people at once", holder: "p02", scene: { dir: "attacks/twofaces_p02_p09", play: "follow" }, reasons: ["several_faces"] },
];

for (const { what, holder, scene, reasons } of attempts) {
  test(`refused: ${what}`, async ({ page }) => {
    await installCamera(page, scene);
    const someone = new Person(page);
    await someone.reachCamera(holder);
    await someone.startCheck("camera");
    await someone.expectRefused(reasons);
    await expect(someone.button("app.again")).toBeVisible();
    await expect(someone.button("app.counter_instead")).toBeVisible();
    expect((await page.request.post("/api/proofing/account/options", { data: {}, headers: { Origin: new URL(page.url()).origin } })).status()).toBe(409);
  });
}

test("refused: a still image, until no attempt is left", async ({ page }) => {
  await installCamera(page, { dir: "attacks/still_p05", play: "loop" });
  const someone = new Person(page);
  await someone.reachCamera("p05");
  await someone.startCheck("camera");
  for (let left = 2; left > 0; left--) {
    await someone.expectRefused(["timeout", "not_live", "instructions_not_followed"]);
    await expect(page.getByRole("alert")).toContainText(String(left));
    await someone.button("app.again").click();
  }
  await expect(someone.heading("result.title_refused")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByTestId("reason")).not.toBeEmpty();
  await inspect(page);
  await someone.button("app.counter_instead").click();
  await expect(page).toHaveURL(/\/prove\/consent$/);
  await expect(page.getByText("No camera is used")).toBeVisible();
});
