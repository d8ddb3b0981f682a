// The colours of the live check are safe to look at, whatever the server or the line does.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { colourOf, Lamp, leastBetween, prefersCalm } from "../src/face/light";

describe("the lamp", () => {
  beforeEach(() => { vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }); });
  afterEach(() => { vi.useRealTimers(); });

  it("shows the newest colour and never changes more than three times a second", () => {
    const times: [number, string | null][] = [];
    const lamp = new Lamp((colour) => times.push([performance.now(), colour]));
    const start = performance.now();
    for (const colour of ["#ff7070", "#40ff40", "#4040ff"]) lamp.set(colour);
    vi.advanceTimersByTime(100);
    lamp.set("#ff40ff");
    vi.advanceTimersByTime(2000);
    expect(times.map(([at, colour]) => [at - start, colour])).toEqual([[0, "#ff7070"], [leastBetween, "#ff40ff"]]);
    expect(leastBetween).toBeGreaterThan(1000 / 3);
  });

  it("goes out at once when the check is over", () => {
    const shown: (string | null)[] = [];
    const lamp = new Lamp((colour) => shown.push(colour));
    lamp.set("#ff7070");
    lamp.set("#40ff40");
    lamp.stop();
    vi.advanceTimersByTime(2000);
    expect(shown).toEqual(["#ff7070", null]);
  });
});

describe("a colour", () => {
  it("is six hexadecimal digits or none", () => {
    expect(colourOf("#40ffff")).toBe("#40ffff");
    for (const wrong of ["", "red", "#fff", "#40ffff;x", "url(x)"]) expect(colourOf(wrong)).toBeNull();
  });
});

describe("who asks the system for little movement", () => {
  afterEach(() => { vi.unstubAllGlobals(); });

  it("is proposed to do without the colours", () => {
    vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("reduced-motion") }));
    expect(prefersCalm()).toBe(true);
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    expect(prefersCalm()).toBe(false);
  });
});
