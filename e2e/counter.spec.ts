// The route without a camera, with a person and an agent in two browsers.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Agent } from "./agent.ts";
import { expect, test } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { addAuthenticator } from "./passkey.ts";
import { Person, en, fr } from "./person.ts";
import { Program, command } from "./program.ts";

/** Brings a person to the counter; returns the code that their page shows. */
async function atCounter(anna: Person): Promise<string> {
  await anna.takeDoor("counter");
  await anna.agree();
  await anna.readSpecimen();
  await anna.button("document.to_counter").click();
  return anna.page.getByTestId("case-code").innerText();
}

/** Nothing of the person is left in what the page holds. */
async function expectNothingLeft(agent: Agent): Promise<void> {
  expect(await agent.page.content()).not.toMatch(/ERIKSSON|L898902C3|<img|blob:/);
  await expect(agent.page).toHaveTitle(/ - Ipse$/);
  expect(await agent.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]))).not.toMatch(/ERIKSSON|[A-Z0-9]{4}-[A-Z0-9]{4}/);
}

test("from the counter to the tax office's greeting, without a camera", async ({ page, browser, ipse }) => {
  await addAuthenticator(page);
  const anna = new Person(page);
  const agent = await Agent.enrol(browser, ipse.service("Counter"));
  await inspect(agent.page);
  const first = await atCounter(anna);
  await inspect(page);
  // A code that was given too early, or to somebody else: a new one.
  await anna.button("counter.new").click();
  await expect(page.getByTestId("case-code")).not.toHaveText(first);
  const code = await page.getByTestId("case-code").innerText();
  await agent.page.keyboard.type(first);
  await agent.page.keyboard.press("Enter");
  await expect(agent.page.getByRole("alert")).toContainText(en["problem.case_unknown.what"]);
  await agent.page.getByLabel(en["agent.code"], { exact: true }).fill("");
  await agent.open(code.toLowerCase());
  await expect(page.getByText(en["counter.opened"])).toBeVisible();
  await agent.seePortrait();
  await expect(agent.page.getByText("ERIKSSON")).toBeVisible();
  await inspect(agent.page);
  // Nothing decides itself: every point is asked for.
  await agent.button("agent.sign").click();
  await expect(agent.page.getByRole("alert")).toContainText(en["agent.decision_missing"]);
  await agent.heading("agent.look").focus();
  await agent.approve();
  await expectNothingLeft(agent);
  await inspect(agent.page);

  await anna.expectAccepted();
  const recovery = await anna.makePasskey();
  await anna.typeGroupBack(recovery);
  await expect(page).toHaveURL(/\/me$/);
  await page.goto(ipse.service("Utopia Revenue Service"));
  await page.getByRole("link", { name: "Log in with Ipse" }).click();
  await anna.button("login.open").click();
  await anna.button("login.yes").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/ERIKSSON/i);

  // The way back of the agent's browser shows no case.
  await agent.button("agent.next").click();
  await expect(agent.heading("agent.ask")).toBeVisible();
  await agent.page.goto(ipse.url);
  await agent.page.goBack();
  await expect(agent.page).toHaveURL(/\/agent$/);
  await expectNothingLeft(agent);
  await agent.page.context().close();
});

test("a case is put down, reloaded, refused; the agent signs out and in again", async ({ page, browser, ipse }) => {
  const anna = new Person(page);
  const agent = await Agent.enrol(browser, ipse.service("Counter"));
  await agent.open(await atCounter(anna));
  await agent.seePortrait();
  await agent.page.reload();
  await expect(agent.heading("agent.still_open")).toBeVisible();
  await expectNothingLeft(agent);
  await inspect(agent.page);
  await agent.button("agent.put_down").click();
  await expect(agent.heading("agent.ask")).toBeVisible();
  await agent.open(await page.getByTestId("case-code").innerText());
  await agent.button("agent.signout").click();
  await expect(agent.heading("agent.signin_title")).toBeVisible();
  await expectNothingLeft(agent);
  await inspect(agent.page);
  await agent.button("agent.signin").click();
  await agent.open(await page.getByTestId("case-code").innerText());
  await agent.page.getByRole("radio", { name: en["agent.no"] }).check();
  await agent.button("agent.sign").click();
  await expect(agent.page.getByRole("alert")).toContainText(en["agent.why_missing"]);
  await agent.page.getByRole("radio", { name: en["agent.why.in_doubt"] }).check();
  await inspect(agent.page);
  await agent.button("agent.sign").click();
  await expect(agent.heading("agent.done_no")).toBeVisible();
  await expectNothingLeft(agent);
  await expect(anna.heading("result.title_refused")).toBeVisible();
  await expect(page.getByTestId("reason")).toContainText(en["reason.counter_refused.what"]);
  // The address that registered this agent registers nobody else.
  await agent.page.goto(ipse.service("Counter"));
  await agent.button("agent.enrol").click();
  await expect(agent.page.getByRole("alert")).toContainText(en["problem.enrolment_unknown.what"]);
  await inspect(agent.page);
  await agent.page.context().close();
});

test("the agent's pages on a narrow screen, in the dark, in French", async ({ page, browser, ipse }) => {
  const anna = new Person(page);
  const agent = await Agent.enrol(browser, ipse.service("Counter"), { viewport: { width: 320, height: 640 }, colorScheme: "dark", locale: "fr-FR" }, fr);
  await inspect(agent.page);
  await agent.page.getByText(fr["agent.no_code"]).click();
  await inspect(agent.page);
  await agent.page.getByLabel(fr["agent.code"], { exact: true }).focus();
  await agent.open(await atCounter(anna));
  await agent.seePortrait();
  await agent.page.getByRole("radio", { name: fr["agent.no"] }).check();
  await inspect(agent.page);
  // Whoever stops is erased from the agent's screen too, without anybody touching it.
  await anna.button("app.stop").click();
  await page.getByRole("dialog").getByRole("button", { name: en["app.stop"] }).click();
  await expect(anna.heading("result.title_abandoned")).toBeVisible();
  await expect(agent.heading("agent.over")).toBeVisible({ timeout: 5_000 });
  await expectNothingLeft(agent);
  await inspect(agent.page);
  await agent.page.context().close();
});

test("at a server as an operator runs it: an agent is invited, lends a reader, decides, and is removed", async ({ page, browser }) => {
  const folder = await mkdtemp(path.join(tmpdir(), "ipse-e2e-counter-"));
  const specimen = path.join(folder, "specimen");
  const portrait = path.resolve(import.meta.dirname, "..", "testdata", "people", "people", "p02", "portrait.jpg");
  await command("passport", "specimen", "new", "--out", specimen, "--portrait", portrait, "--expiry", "341231");
  const server = await Program.start({ trust: path.join(specimen, "trust") });
  try {
    const admin = (...args: string[]) => command("admin", "agent", ...args, "--config", server.config);
    const invited = JSON.parse(await admin("add", "--name", "Zoé Agent", "--json")) as { id: string; enrol_url: string };
    const agent = await Agent.enrol(browser, invited.enrol_url);
    await expect(agent.page.getByText("Zoé Agent")).toBeVisible();

    const anna = new Person(page);
    await page.goto(`${server.url}/counter`);
    await anna.button("counter.start").click();
    await anna.agree();
    const reader = server.lendReader(await page.getByTestId("pairing-code").innerText(), specimen);
    await expect(page.getByText(en["document.reader_ok"])).toBeVisible();
    await page.getByLabel(en["document.number"]).fill("L898902C3");
    await anna.typeDate("document.birth", "1974-08-12");
    await anna.typeDate("document.expiry", "2034-12-31");
    await anna.button("document.read").click();
    await expect(anna.heading("document.done")).toBeVisible({ timeout: 30_000 });
    await reader.stop();
    await anna.button("document.to_counter").click();
    await agent.open(await page.getByTestId("case-code").innerText());
    await agent.seePortrait();
    await agent.heading("agent.look").focus();
    await agent.approve();
    await anna.expectAccepted();

    const kept = path.join(folder, "decisions.jsonl");
    await writeFile(kept, await admin("decisions"));
    expect(await command("admin", "agent", "verify", kept, "--public-url", server.url)).toContain("1 decisions verify: 1 approved");
    await admin("remove", invited.id);
    await agent.button("agent.next").click();
    await expect(agent.heading("agent.signin_title")).toBeVisible();
    await agent.button("agent.signin").click();
    await expect(agent.page.getByRole("alert")).toContainText(en["problem.agent_refused.what"]);
    await agent.page.context().close();
  } finally {
    await server.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
