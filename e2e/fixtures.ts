// What every test has: its own program, and pages whose faults fail the test.
import { writeFile } from "node:fs/promises";
import { test as base, expect, type Page } from "@playwright/test";
import { Program } from "./program.ts";

interface Fixtures {
  ipse: Program;
  watched: undefined;
}

/** Answers that the pages expect, and that the browser reports as failed loads all the same. */
const expected = /^Failed to load resource: (the server responded with a status of (401|403|404|409|410|503)|net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE|FAILED))|^WebSocket connection to/;

/** Collects what goes wrong in a page: exceptions, errors on the console, refusals of the content policy. */
function watch(page: Page, faults: string[]): void {
  page.on("pageerror", (error) => { faults.push(`exception: ${error.message}`); });
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) faults.push(`console: ${message.text()}`);
  });
}

export const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern
  ipse: async ({}, use, info) => {
    const program = await Program.start();
    try {
      await use(program);
    } finally {
      if (info.status !== info.expectedStatus) await writeFile(info.outputPath("program.log"), program.log);
      await program.remove();
    }
  },
  baseURL: async ({ ipse }, use) => {
    await use(ipse.url);
  },
  watched: [async ({ context }, use) => {
    const faults: string[] = [];
    for (const page of context.pages()) watch(page, faults);
    context.on("page", (page) => { watch(page, faults); });
    await use(undefined);
    expect(faults, "faults in the pages").toEqual([]);
  }, { auto: true }],
});

export { expect };
