import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Seen } from "../src/face/boxes";
import { cover } from "../src/face/cover";
import { Guidance, lookHeight, lookWidth, type DeviceHint } from "../src/face/guidance";
import { Watch } from "../src/face/watch";

const open = vi.hoisted(() => vi.fn());
vi.mock("../src/face/guide", () => ({ Guide: { open } }));

const person: Seen = { x: 0.35, y: 0.3, w: 0.3, h: 0.4, score: 0.9, eyes: [0.42, 0.45, 0.58, 0.45], colour: [9, 9, 9] };
const near: Seen = { ...person, x: 0.7 };
const far: Seen = { ...person, x: 0.8, y: 0.1, w: 0.05, h: 0.07, colour: [120, 80, 60] };
const fair = () => new Uint8ClampedArray(lookWidth * lookHeight).fill(120);

describe("hints from faces", () => {
  const after = (scene: Parameters<Guidance["look"]>[1]): DeviceHint | null => {
    const guidance = new Guidance();
    return Array.from({ length: 6 }, fair).reduce<DeviceHint | null>((_, luma) => guidance.look(luma, scene), null);
  };
  const alone = (change: Partial<Seen>) => after({ person: { ...person, ...change }, others: [], crowded: false });

  it("are about framing, and there is none where the face is well placed", () => {
    expect(alone({})).toBeNull();
    expect(alone({ w: 0.1, h: 0.14 })).toBe("come_closer");
    expect(alone({ h: 0.95, y: 0 })).toBe("move_back");
    expect(alone({ x: 0.72 })).toBe("center_face");
    expect(after({ person: null, others: [], crowded: false })).toBe("face_not_found");
  });

  it("come after the light: what is dark shows no face", () => {
    const guidance = new Guidance();
    const dark = () => new Uint8ClampedArray(lookWidth * lookHeight).fill(5);
    const said = Array.from({ length: 6 }, dark).reduce<DeviceHint | null>((_, luma) => guidance.look(luma, { person: null, others: [], crowded: false }), null);
    expect(said).toBe("lens_covered");
  });
});

describe("the watch", () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
  });
  afterEach(() => { open.mockReset(); });

  const watch = () => {
    const hints: (DeviceHint | null)[] = [];
    const covered: number[] = [];
    let givenUp = 0;
    return {
      hints, covered, givenUp: () => givenUp,
      it: new Watch({ onHint: (hint) => hints.push(hint), onCrowded: () => { givenUp++; }, onCovered: (boxes) => covered.push(boxes.length) }),
    };
  };

  it("says at once that somebody else is near, and gives up when they stay", () => {
    const { it: watching, hints, givenUp } = watch();
    const crowded = { person, others: [near], crowded: true };
    watching.look(crowded, null);
    expect(hints).toEqual(["one_person_only"]);
    now = 7900;
    watching.look(crowded, null);
    expect(givenUp()).toBe(0);
    now = 8000;
    watching.look(crowded, null);
    expect(givenUp()).toBe(1);
  });

  it("does not add up the passers-by", () => {
    const { it: watching, hints, givenUp } = watch();
    for (let i = 0; i < 5; i++) {
      now += 5000;
      watching.look({ person, others: [near], crowded: true }, null);
      now += 100;
      watching.look({ person, others: [], crowded: false }, null);
    }
    expect(givenUp()).toBe(0);
    expect(hints.at(-1)).toBeNull();
  });

  it("says nothing of the light that the page itself makes", () => {
    const { it: watching, hints } = watch();
    watching.instruct("light", 8);
    for (let i = 0; i < 6; i++) watching.look(null, new Uint8ClampedArray(lookWidth * lookHeight).fill(5));
    expect(hints).toEqual([]);
  });

  it("shows what is covered, and that nothing is any more", () => {
    const { it: watching, covered } = watch();
    const alone = { person, others: [], crowded: false };
    for (const scene of [alone, { ...alone, others: [far] }, alone, alone, null]) watching.look(scene, null);
    expect(covered).toEqual([1, 0]);
  });

  it("works without the guide, wherever it fails", async () => {
    for (const broken of [() => Promise.resolve(null), () => Promise.reject(new Error("no WebAssembly"))]) {
      open.mockImplementationOnce(broken);
      const { it: watching } = watch();
      await watching.prepare();
      expect(await watching.sceneOf(document.createElement("canvas"))).toBeNull();
      expect(() => { watching.look(null, fair()); }).not.toThrow();
      watching.close();
    }
  });

  it("tells who is who from what the guide sees, and closes it", async () => {
    const close = vi.fn();
    open.mockResolvedValueOnce({ look: () => Promise.resolve({ faces: [person, far], at: 0 }), close });
    const { it: watching } = watch();
    await watching.prepare();
    expect(await watching.sceneOf(document.createElement("canvas"))).toEqual({ person, others: [far], crowded: false });
    watching.close();
    expect(close).toHaveBeenCalledOnce();
    expect(await watching.sceneOf(document.createElement("canvas"))).toBeNull();
  });

  it("closes a guide that comes when nobody waits any more", async () => {
    const close = vi.fn();
    open.mockResolvedValueOnce({ close });
    const { it: watching } = watch();
    const prepared = watching.prepare();
    watching.close();
    await prepared;
    expect(close).toHaveBeenCalledOnce();
  });
});

describe("the cover", () => {
  function painted(scene: Parameters<typeof cover>[1]): string[] {
    const calls: string[] = [];
    const note = (name: string) => (...args: unknown[]) => { calls.push(`${name} ${args.map(String).join(" ")}`); };
    const context = {
      save: () => undefined, restore: () => undefined, beginPath: () => undefined,
      rect: note("rect"), clip: note("clip"), fillRect: note("fillRect"),
      set fillStyle(value: string) { calls.push(value); },
    };
    const frame = { width: 100, height: 100, getContext: () => context } as unknown as HTMLCanvasElement;
    cover(frame, scene);
    return calls;
  }

  it("is one colour over the padded box, and leaves the person out", () => {
    const [whole, own, clip, colour, fill, ...more] = painted({ person, others: [{ ...far, x: 0.8, y: 0.2, w: 0.1, h: 0.1 }], crowded: false });
    expect([whole, own, clip, colour, more.length]).toEqual(["rect 0 0 100 100", "rect 35 30 30 40", "clip evenodd", "rgb(120 80 60)", 0]);
    const [x = 0, y = 0, w = 0, h = 0] = (fill ?? "").split(" ").slice(1).map(Number);
    for (const [got, want] of [[x, 76.5], [y, 16.5], [w, 17], [h, 17]] as const) expect(got).toBeCloseTo(want);
  });

  it("is nowhere when nobody stands by", () => {
    expect(painted({ person, others: [], crowded: false })).toEqual([]);
  });
});
