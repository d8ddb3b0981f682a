// Logging in at the two demo services: what they ask, what the person lets go, and
// what they are told.
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en } from "./person.ts";

/** The texts of the demo services; a text that is not there fails the test. */
function words(file: string): (key: string) => string {
  const texts = JSON.parse(readFileSync(path.resolve(import.meta.dirname, "..", "internal", "demo", "text", `${file}.en.json`), "utf8")) as Record<string, string>;
  return (key) => {
    const text = texts[key];
    if (text === undefined) throw new Error(`no text ${key} in ${file}`);
    return text;
  };
}
const tax = words("tax");
const family = words("family");
const common = words("common");

/** The row of an attribute on the consent page. */
const row = (page: Page, name: string) => page.locator(`[data-attribute=${name}]`);

test("from the tax office to a greeting by name and level; at the family fund an optional attribute is refused", async ({ page, ipse }) => {
  await addAuthenticator(page);
  const anna = new Person(page);
  await anna.getAccount();
  const taxOffice = ipse.service(tax("name"));
  const familyFund = ipse.service(family("name"));

  // The tax office: everything required, and one of two optional attributes.
  await page.goto(taxOffice);
  await page.getByRole("link", { name: tax("login") }).click();
  await expect(page).toHaveURL(new RegExp(`^${ipse.url}/login/`));
  await expect(page.getByText("Tax Code")).toBeVisible();
  await inspect(page);
  await expect(page.getByText("ERIKSSON")).toHaveCount(0);
  await anna.button("login.open").click();
  await expect(row(page, "family_name")).toContainText("ERIKSSON");
  await expect(row(page, "family_name").getByRole("switch")).toHaveCount(0);
  for (const optional of ["nationalities", "document_number"]) await expect(row(page, optional).getByRole("switch")).not.toBeChecked();
  await row(page, "nationalities").getByRole("switch").check();
  await inspect(page);
  await anna.button("login.yes").click();

  await expect(page).toHaveURL(new RegExp(`^${taxOffice}/?$`));
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/ERIKSSON/i);
  await expect(page.getByText(common("level.eidas3"), { exact: true })).toBeVisible();
  await expect(page.getByText("Utopia", { exact: true })).toBeVisible();
  await expect(page.getByText(common("withheld"))).toHaveCount(1);
  const taxReference = await page.locator("main").innerText();

  // The family fund: nothing optional.
  await page.goto(familyFund);
  await page.getByRole("link", { name: family("login") }).click();
  await expect(page).toHaveURL(new RegExp(`^${ipse.url}/login/`));
  await anna.button("login.open").click();
  await expect(row(page, "age_over_18")).toBeVisible();
  await expect(page.getByText("ERIKSSON")).toHaveCount(0);
  await anna.button("login.yes").click();
  await expect(page).toHaveURL(new RegExp(`^${familyFund}/?$`));
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/ANNA/i);
  await expect(page.getByText(common("withheld"))).toHaveCount(1);
  const familyReference = await page.locator(".ref").innerText();
  expect(taxReference).not.toContain(familyReference);

  // And at home: who received what.
  await anna.openMine();
  const services = page.getByTestId("services");
  await expect(services.getByRole("listitem")).toHaveCount(2);
  await expect(services.getByRole("listitem").filter({ hasText: tax("name") })).toContainText(en["attr.nationalities"]);
  await expect(services.getByRole("listitem").filter({ hasText: family("name") })).not.toContainText(en["attr.nationalities"]);
  await page.getByText(en["me.journal"]).click();
  await expect(page.getByTestId("journal").getByRole("listitem")).toHaveCount(2);
  await inspect(page);

  // An answer that is remembered: the passkey alone gives it again, until asked not to.
  const logIn = async () => {
    await page.goto(taxOffice);
    await page.getByRole("button", { name: common("logout") }).click();
    await page.getByRole("link", { name: tax("login") }).click();
  };
  await logIn();
  await anna.button("login.open").click();
  await row(page, "nationalities").getByRole("switch").check();
  await page.getByRole("checkbox", { name: en["login.remember"].replace("{service}", tax("name")) }).check();
  await inspect(page);
  await anna.button("login.yes").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/ERIKSSON/i);
  await logIn();
  await anna.button("login.open").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/ERIKSSON/i);
  await expect(page.getByText("Utopia", { exact: true })).toBeVisible();
  await logIn();
  await page.getByRole("checkbox", { name: en["login.ask_again"] }).check();
  await anna.button("login.open").click();
  await expect(row(page, "nationalities").getByRole("switch")).not.toBeChecked();
  await anna.button("login.yes").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/ERIKSSON/i);
  await anna.openMine();
  await expect(page.getByText(en["me.services_remembered"])).toHaveCount(0);

  // Logging out at the service, then saying no.
  await page.goto(taxOffice);
  await page.getByRole("button", { name: common("logout") }).click();
  await expect(page.getByText(tax("loggedout"))).toBeVisible();
  await page.getByRole("link", { name: tax("login") }).click();
  await anna.button("login.no").click();
  await expect(page.getByRole("heading", { name: common("problem.access_denied.title") })).toBeVisible();
});

test("a person without an account is shown the way, and a login link of another browser opens nothing", async ({ page, browser, ipse }) => {
  await page.goto(ipse.service(tax("name")));
  await page.getByRole("link", { name: tax("login") }).click();
  await expect(page).toHaveURL(new RegExp(`^${ipse.url}/login/`));
  await expect(page.getByRole("link", { name: en["login.no_account"] })).toBeVisible();
  const link = page.url();
  const stranger = await browser.newPage();
  await stranger.goto(link);
  await expect(stranger.getByRole("alert")).toBeVisible();
  await expect(stranger.getByText(en["login.open"])).toHaveCount(0);
  await stranger.close();
});
