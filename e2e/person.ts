// A person at the pages: the steps of a check as one takes them. Texts come from
// the message files, so that a test says what is meant and survives a better wording.
import { expect, type Locator, type Page } from "@playwright/test";
import { demoPerson } from "../web/src/demo/person.ts";
import { en } from "../web/src/i18n/en.ts";
import { fr } from "../web/src/i18n/fr.ts";

export { en, fr };

/** The messages of a language. */
export type Words = Record<keyof typeof en, string>;

export type Reason = "not_live" | "not_same_person" | "instructions_not_followed" | "several_faces" | "poor_quality" | "timeout";

export class Person {
  readonly page: Page;
  readonly t: Words;

  constructor(page: Page, t: Words = en) {
    this.page = page;
    this.t = t;
  }

  button(key: keyof Words): Locator {
    return this.page.getByRole("button", { name: this.t[key], exact: true });
  }

  /** The heading of a page, which begins with its step where it has one. */
  heading(key: keyof Words): Locator {
    return this.page.getByRole("heading", { name: this.t[key] });
  }

  /** Opens the start page and takes one of the two doors. */
  async takeDoor(door: "camera" | "counter"): Promise<void> {
    await this.page.goto("/");
    await this.page.getByRole("button", { name: new RegExp(`^${this.t[`start.${door}`]}`) }).click();
    await expect(this.page).toHaveURL(/\/prove\/consent$/);
  }

  async agree(): Promise<void> {
    await this.page.getByRole("checkbox", { name: this.t["consent.tick"] }).check();
    await this.button("consent.agree").click();
    await expect(this.page).toHaveURL(/\/prove\/document$/);
  }

  /** Lays a rendered person's specimen passport on its reader and has it read; the page itself offers its demo person's. */
  async readSpecimen(holder = demoPerson): Promise<void> {
    if (holder !== demoPerson) await this.page.route("**/demo/api/passport", (route) => route.continue({ postData: JSON.stringify({ person: holder }) }));
    await this.button("demo.use").click();
    await expect(this.page.getByText(this.t["document.reader_ok"])).toBeVisible();
    await this.button("document.read").click();
    await expect(this.heading("document.done")).toBeVisible({ timeout: 30_000 });
  }

  /** Types a date, YYYY-MM-DD, into its three fields. */
  async typeDate(label: "document.birth" | "document.expiry", date: string): Promise<void> {
    const group = this.page.getByRole("group", { name: this.t[label] });
    const [year = "", month = "", day = ""] = date.split("-");
    await group.getByLabel(this.t["date.day"]).fill(day);
    await group.getByLabel(this.t["date.month"]).fill(month);
    await group.getByLabel(this.t["date.year"]).fill(year);
  }

  /** From the start page to the page before the camera. */
  async reachCamera(holder = demoPerson): Promise<void> {
    await this.takeDoor("camera");
    await this.agree();
    await this.readSpecimen(holder);
    await this.button("document.to_face").click();
    await expect(this.page).toHaveURL(/\/prove\/face$/);
  }

  /** Chooses who stands before the camera and starts the live check. */
  async startCheck(who: "demo person" | "camera"): Promise<void> {
    await this.page.getByRole("radio", { name: this.t[who === "camera" ? "demo.mine" : "demo.play"] }).check();
    await this.button(who === "camera" ? "face.start" : "face.start_demo").click();
  }

  /** Waits until the check has been accepted. */
  async expectAccepted(): Promise<void> {
    await expect(this.heading("result.title_accepted")).toBeVisible({ timeout: 90_000 });
  }

  /** Waits until a live check has been refused for one of these reasons. */
  async expectRefused(reasons: readonly Reason[]): Promise<void> {
    const alert = this.page.getByRole("alert").filter({ hasText: this.t["face.refused_title"] });
    await expect(alert).toBeVisible({ timeout: 90_000 });
    const said = await alert.innerText();
    expect(reasons.some((r) => said.includes(this.t[`reason.${r}.what`])), `one of ${reasons.join(", ")} in: ${said}`).toBe(true);
  }

  /** Creates the passkey; returns the groups of the recovery code, which is not confirmed yet. */
  async makePasskey(): Promise<string[]> {
    await this.button("result.to_passkey").click();
    await this.button("passkey.create").click();
    return this.readCode();
  }

  /** The groups of the recovery code on the page. */
  async readCode(): Promise<string[]> {
    const groups = this.page.getByTestId("recovery-code").locator(".group");
    await expect(groups).toHaveCount(8, { timeout: 30_000 });
    return groups.allInnerTexts();
  }

  /** Types the group of the recovery code that the page asks for. */
  async typeGroupBack(code: string[]): Promise<void> {
    const [before = "", after = ""] = this.t["recovery.confirm"].split("{group}");
    const label = this.page.locator("label").filter({ hasText: new RegExp(`^${before}\\d${after}$`) });
    const group = Number((await label.innerText()).replace(/\D/g, ""));
    await this.page.getByLabel(await label.innerText()).fill(code[group - 1] ?? "");
    await this.button("recovery.done").click();
  }

  /** Proves who they are as the demo person and makes the account; returns the recovery code. */
  async getAccount(): Promise<string> {
    await this.reachCamera();
    await this.startCheck("demo person");
    await this.expectAccepted();
    const code = await this.makePasskey();
    await this.typeGroupBack(code);
    await expect(this.page).toHaveURL(/\/me$/);
    return code.join("-");
  }

  /** Opens My Ipse with the passkey. */
  async openMine(): Promise<void> {
    await this.page.goto("/me");
    await this.button("me.unlock").click();
    await expect(this.heading("me.attributes")).toBeVisible();
  }

  /** The section of My Ipse under a heading. */
  section(key: keyof Words): Locator {
    return this.page.getByRole("region", { name: this.t[key] });
  }
}
