import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useSpoken } from "../src/face/spoken";

function Said({ hint }: { hint: string | null }) {
  return <p>{useSpoken(hint) ?? "-"}</p>;
}

describe("hints for a screen reader", () => {
  const place = document.createElement("div");
  const show = async (hint: string | null) => { await act(() => { render(<Said hint={hint} />, place); }); };
  const pass = async (ms: number) => { await act(async () => { await vi.advanceTimersByTimeAsync(ms); }); };

  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => {
    render(null, place);
    vi.useRealTimers();
  });

  it("are said when they have settled, and never one over the other", async () => {
    await show("more_light");
    await pass(300);
    expect(place.textContent).toBe("-");
    await pass(400);
    expect(place.textContent).toBe("more_light");
    await show("come_closer");
    await pass(2500);
    expect(place.textContent).toBe("more_light");
    await pass(1000);
    expect(place.textContent).toBe("come_closer");
  });

  it("are not said when they come and go", async () => {
    for (let i = 0; i < 10; i++) {
      await show("hold_still");
      await pass(200);
      await show(null);
      await pass(200);
      expect(place.textContent).toBe("-");
    }
  });

  it("can be said anew, and are repeated while they hold", async () => {
    await show("more_light");
    await pass(1000);
    await show(null);
    await pass(4000);
    expect(place.textContent).toBe("-");
    await show("more_light");
    await pass(1000);
    expect(place.textContent).toBe("more_light");
    const heard = new Set<string>();
    for (let i = 0; i < 100; i++) {
      await pass(100);
      heard.add(place.textContent);
    }
    expect(heard).toEqual(new Set(["more_light", "-"]));
  });
});
