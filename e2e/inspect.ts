// What holds on every page: axe finds nothing, nothing scrolls sideways, every
// control can be hit, the page has a name.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, type Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

const axe = readFileSync(path.resolve(import.meta.dirname, "..", "node_modules", "axe-core", "axe.min.js"), "utf8");

/** Inspects the page as it stands; contrast is held to 7:1 (WCAG 2.2 §1.4.6). */
export async function inspect(page: Page): Promise<void> {
  await expect(page).toHaveTitle(/ - Ipse$/);
  await expect(page.locator("h1")).toHaveCount(1);
  const where = await page.title();
  // A colour on its way to another, as when a new control comes to lie under the pointer, is no colour of the page.
  await page.evaluate(async () => {
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
    await Promise.allSettled(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished));
  });
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run: (node: Document, options: unknown) => Promise<AxeResults> } }).axe.run;
    const { violations: found } = await run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return found.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  });
  expect(violations, `axe on ${where}`).toEqual([]);
  const { sideways, small } = await page.evaluate(() => ({
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll("button, a, input, summary")]
      .filter((e) => e.checkVisibility() && !e.matches(".skip"))
      .map((e) => ({ name: e.textContent || e.id, box: (e.closest("label") ?? e).getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && Math.round(box.height) < 44)
      .map(({ name, box }) => `${name} ${String(Math.round(box.height))} px`),
  }));
  expect(sideways, `sideways scroll on ${where}`).toBe(0);
  expect(small, `controls below 44 px on ${where}`).toEqual([]);
}
