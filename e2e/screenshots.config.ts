import { defineConfig } from "@playwright/test";
import base from "./playwright.config.ts";

// `npm run screenshots` makes the pictures of docs/img from the real program.
export default defineConfig(base, { testMatch: /screenshots\.shots\.ts$/ });
