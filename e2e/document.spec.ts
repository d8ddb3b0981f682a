// Documents at a server as an operator runs it: a reader far away, a document that
// is what it says, and those that are not.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test as base } from "./fixtures.ts";
import { inspect } from "./inspect.ts";
import { Person, en } from "./person.ts";
import { command, Program } from "./program.ts";

const portrait = path.resolve(import.meta.dirname, "..", "testdata", "people", "people", "p02", "portrait.jpg");

/** Issues a document of the folder's own authority, with a fault if one is named. */
async function issue(authority: string, name: string, ...faults: string[]): Promise<string> {
  const out = path.join(path.dirname(authority), name);
  const issuer = name === "genuine" ? [] : ["--issuer", path.join(authority, "issuer")];
  await command("passport", "specimen", "new", "--out", out, ...issuer, "--portrait", portrait, "--expiry", "341231", ...faults.map((f) => `--fault=${f}`));
  return out;
}

const test = base.extend<{ authority: string }>({
  authority: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), "ipse-e2e-documents-"));
    try {
      await use(await issue(path.join(folder, "genuine"), "genuine"));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  ipse: async ({ authority }, use) => {
    const program = await Program.start({ trust: path.join(authority, "trust") });
    try {
      await use(program);
    } finally {
      await program.remove();
    }
  },
});

/** Types what is printed on the specimen and has it read. */
async function read(anna: Person, number = "L898902C3"): Promise<void> {
  await expect(anna.page.getByText(en["document.reader_ok"])).toBeVisible();
  await anna.page.getByLabel(en["document.number"]).fill(number);
  await anna.typeDate("document.birth", "1974-08-12");
  await anna.typeDate("document.expiry", "2034-12-31");
  await anna.button("document.read").click();
}

test("a genuine document on a reader far away is read; a wrong number opens nothing", async ({ page, ipse, authority }) => {
  const anna = new Person(page);
  await anna.takeDoor("camera");
  await anna.agree();
  await expect(page.getByText(en["demo.title"])).toHaveCount(0);
  await inspect(page);
  const reader = ipse.lendReader(await page.getByTestId("pairing-code").innerText(), authority);
  await read(anna, "L898902C4");
  await expect(page.getByText(en["docfail.access_denied"])).toBeVisible();
  await inspect(page);
  await read(anna);
  await expect(anna.heading("document.done")).toBeVisible({ timeout: 30_000 });
  await reader.stop();
});

const bad = [
  { fault: "tampered-dg2", reason: "document_not_genuine" },
  { fault: "foreign-csca", reason: "document_not_genuine" },
  { fault: "clone", reason: "chip_not_authentic" },
  { fault: "clone-omits-aa", reason: "chip_not_authentic" },
] as const;

for (const { fault, reason } of bad) {
  test(`refused: a document with the fault ${fault}`, async ({ page, ipse, authority }) => {
    const document = await issue(authority, "other", fault);
    const anna = new Person(page);
    await anna.takeDoor("camera");
    await anna.agree();
    const reader = ipse.lendReader(await page.getByTestId("pairing-code").innerText(), document);
    await read(anna);
    await expect(anna.heading("result.title_refused")).toBeVisible({ timeout: 30_000 });
    await expect(page.getByTestId("reason")).toContainText(en[`reason.${reason}.what`]);
    await expect(anna.button("app.counter_instead")).toBeVisible();
    await inspect(page);
    await reader.stop();
  });
}

test("a document that leaves its reader in mid-read can be read again", async ({ page, ipse, authority }) => {
  const document = await issue(authority, "other", "gone");
  const anna = new Person(page);
  await anna.takeDoor("camera");
  await anna.agree();
  const code = page.getByTestId("pairing-code");
  const used = await code.innerText();
  const reader = ipse.lendReader(used, document);
  await read(anna);
  await expect(page.getByRole("alert")).toBeVisible({ timeout: 30_000 });
  await inspect(page);
  await reader.stop();
  // Other codes may be on the page until the answer to the click is there.
  const answer = page.waitForResponse((r) => r.url().endsWith("/api/proofing/reader"));
  await anna.button("document.code_new").click();
  const view = (await (await answer).json()) as { document: { pairing_code: string } };
  await expect(code).toHaveText(view.document.pairing_code);
  const again = ipse.lendReader(view.document.pairing_code, authority);
  await read(anna);
  await expect(anna.heading("document.done")).toBeVisible({ timeout: 30_000 });
  await again.stop();
});
