import { defineConfig } from "@playwright/test";

// Debian's Chromium, never a downloaded one. IPSE_CHROMIUM names another.
const executablePath = process.env["IPSE_CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: ".",
  outputDir: "test-results",
  timeout: 240_000,
  globalTimeout: 40 * 60_000, // ends with the list of what failed, before make test stops it
  expect: { timeout: 30_000 },
  // Each test starts its own program and its own data folder; two cores.
  workers: 1,
  // Real time, a real browser, two shared cores: a test that fails once is run again
  // and, if it passes then, reported as flaky. What is broken fails twice.
  retries: 1,
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"]],
  use: {
    headless: true,
    // An action that cannot be done fails with its own message, not with the test's time.
    actionTimeout: 30_000,
    locale: "en-GB",
    trace: "off",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
      ],
    },
  },
});
