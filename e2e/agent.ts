// An agent at the counter: another person, with another browser and another passkey.
import { expect, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from "@playwright/test";
import { addAuthenticator } from "./passkey.ts";
import { en, type Words } from "./person.ts";

export class Agent {
  readonly page: Page;
  readonly t: Words;

  private constructor(page: Page, t: Words) {
    this.page = page;
    this.t = t;
  }

  /** Opens a browser of the agent's own and registers with the address that the operator hands over. */
  static async enrol(browser: Browser, url: string, options: BrowserContextOptions = {}, t: Words = en): Promise<Agent> {
    const context: BrowserContext = await browser.newContext({ locale: "en-GB", ...options });
    const page = await context.newPage();
    await addAuthenticator(page, { prf: false });
    const agent = new Agent(page, t);
    await page.goto(url);
    await expect(page).toHaveURL(/\/agent\/enrol$/); // the code has left the address bar
    await agent.button("agent.enrol").click();
    await expect(agent.heading("agent.ask")).toBeVisible();
    return agent;
  }

  button(key: keyof Words): Locator {
    return this.page.getByRole("button", { name: this.t[key], exact: true });
  }

  heading(key: keyof Words): Locator {
    return this.page.getByRole("heading", { name: this.t[key] });
  }

  /** Types a code where the focus already is, and opens the case. */
  async open(code: string): Promise<void> {
    await expect(this.page.getByLabel(this.t["agent.code"], { exact: true })).toBeFocused();
    await this.page.keyboard.type(code);
    await this.page.keyboard.press("Enter");
    await expect(this.heading("agent.look")).toBeVisible();
  }

  /** The portrait, drawn. */
  async seePortrait(): Promise<void> {
    await expect.poll(() => this.page.getByRole("img", { name: this.t["agent.portrait"] }).evaluate((i: HTMLImageElement) => i.naturalWidth)).toBeGreaterThan(100);
  }

  /** Ticks everything and confirms, by keyboard alone. */
  async approve(): Promise<void> {
    for (const item of ["agent.item.portrait_matches", "agent.item.document_intact", "agent.item.holder_present"] as const) {
      const box = this.page.getByRole("checkbox", { name: this.t[item] });
      await this.page.keyboard.press("Tab");
      await expect(box).toBeFocused();
      await this.page.keyboard.press("Space");
    }
    await this.page.keyboard.press("Tab");
    await this.page.keyboard.press("Space");
    await expect(this.page.getByRole("radio", { name: this.t["agent.yes"] })).toBeChecked();
    await this.page.keyboard.press("Tab");
    await expect(this.button("agent.sign")).toBeFocused();
    await this.page.keyboard.press("Enter");
    await expect(this.heading("agent.done_yes")).toBeVisible();
  }
}
