import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as passkey from "../src/crypto/passkey";
import type { AuthenticationJSON, RegistrationJSON } from "../src/types";
import { byName, close, open, textOf, type Page } from "./harness";

const agentIn = async (mock: Page["mock"]): Promise<void> => { await mock.call("POST", "/api/agent/session", {}); };

beforeEach(() => {
  vi.spyOn(passkey, "signWithPasskey").mockResolvedValue({ id: "k" } as AuthenticationJSON);
  vi.spyOn(passkey, "createSigningPasskey").mockResolvedValue({ id: "k" } as RegistrationJSON);
});
afterEach(() => {
  close();
  vi.restoreAllMocks();
});

/** Opens a case as a signed-in agent. */
async function atCase(): Promise<Page> {
  const page = await open("/agent", { prepare: agentIn });
  await page.type("Case code", "4F7K-2QXD");
  await page.click("Open the case");
  return page;
}

describe("the agent’s page", () => {
  it("asks for the passkey first, and for nothing but a code then", async () => {
    const page = await open("/agent");
    expect(textOf("h1")).toBe("Agents at the counter");
    await page.click("Sign in with my passkey");
    expect(textOf("h1")).toBe("Ask the person for their case code");
    await page.type("Case code", "4F7");
    await page.click("Open the case");
    expect(textOf(".error")).toContain("eight letters and digits");
    expect(page.calls).not.toContain("POST /api/agent/case");
    await page.type("Case code", "WRONG-234");
    await page.click("Open the case");
    expect(textOf("[role=alert]")).toContain("No case is open with this code");
  });

  it("decides only with every point confirmed, and leaves nothing of the case", async () => {
    const page = await atCase();
    expect(textOf("main")).toContain("ERIKSSON");
    expect(document.title).not.toContain("ERIKSSON");
    await page.click("Sign with my passkey");
    expect(textOf("[role=alert]")).toBe("Decide: confirm or refuse.");
    await act(() => { byName(".choice-label", "Confirm").click(); });
    await page.click("Sign with my passkey");
    expect(textOf("[role=alert]")).toContain("tick all three points");
    expect(page.calls.filter((c) => c.includes("decision"))).toEqual([]);
    for (const box of document.querySelectorAll<HTMLInputElement>("input[type=checkbox]")) await act(() => { box.click(); });
    await page.click("Sign with my passkey");
    expect(textOf("h1")).toBe("Confirmed and signed");
    expect(document.body.innerHTML).not.toMatch(/ERIKSSON|L898902C3|<img/);
    await page.click("Next person");
    expect(textOf("h1")).toBe("Ask the person for their case code");
  });

  it("needs a reason to refuse", async () => {
    const page = await atCase();
    await act(() => { byName(".choice-label", "Refuse").click(); });
    await page.click("Sign with my passkey");
    expect(textOf("[role=alert]")).toBe("Give the reason.");
    await act(() => { byName(".choice-label", "I am in doubt").click(); });
    await page.click("Sign with my passkey");
    expect(textOf("h1")).toBe("Refused and signed");
  });

  it("is cleared when the page is left, and tells of a case that was open", async () => {
    await atCase();
    await act(() => { window.dispatchEvent(new Event("pagehide")); });
    expect(document.body.innerHTML).not.toMatch(/ERIKSSON|<img/);
    close();
    await open("/agent", { prepare: async (fresh) => { await agentIn(fresh); await fresh.call("POST", "/api/agent/case", { code: "4F7K-2QXD" }); } });
    expect(textOf("h1")).toBe("A case is still open here");
  });

  it("is cleared when the session has been idle for its time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"], shouldAdvanceTime: true });
    try {
      const page = await atCase();
      expect(textOf("main")).toContain("ERIKSSON");
      await act(() => { vi.advanceTimersByTime(600_000); });
      expect(document.body.innerHTML).not.toContain("ERIKSSON");
      expect(textOf("h1")).toBe("Agents at the counter");
      expect(page.calls).toContain("DELETE /api/agent/session");
    } finally {
      vi.useRealTimers();
    }
  });

  it("is cleared within two seconds when the person ends the check, or when the agent is no longer signed in", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"], shouldAdvanceTime: true });
    try {
      for (const [path, title] of [["/api/agent/case", "This case is closed"], ["/api/agent/session", "Agents at the counter"]] as const) {
        const page = await atCase();
        await act(() => { vi.advanceTimersByTime(2_000); });
        await page.settle();
        expect(textOf("main")).toContain("Utopia (specimen)"); // the issuer by its name
        await page.mock.call("DELETE", path, {});
        await act(() => { vi.advanceTimersByTime(2_000); });
        await page.settle();
        expect(textOf("h1")).toBe(title);
        expect(document.body.innerHTML).not.toMatch(/ERIKSSON|<img/);
        close();
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("sees nothing more once the agent was removed", async () => {
    const page = await atCase();
    await page.mock.call("DELETE", "/api/agent/session", {});
    await page.click("Put the case down undecided");
    expect(textOf("h1")).toBe("Agents at the counter");
    expect(document.body.innerHTML).not.toContain("ERIKSSON");
  });

  it("registers a passkey with the code behind the sign that browsers do not send", async () => {
    const page = await open("/agent/enrol#secret");
    expect(location.hash).toBe("");
    await page.click("Register my passkey");
    expect(location.pathname).toBe("/agent");
    expect(page.calls).toContain("POST /api/agent/enrol");
    close();
    const late = await open("/agent/enrol#used");
    await late.click("Register my passkey");
    expect(textOf("[role=alert]")).toContain("registers nobody any more");
    close();
    await open("/agent/enrol");
    expect(textOf("[role=alert]")).toContain("not complete");
  });
});
