import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Script, type Truth } from "../src/demo/camera";
import { frameSize } from "../src/face/capture";
import { cameraFault, CameraError } from "../src/face/source";

const truth = JSON.parse(readFileSync(join(import.meta.dirname, "../../testdata/people/people/p02/live/truth.json"), "utf8")) as Truth;

const play = (script: Script, count: number) => Array.from({ length: count }, () => script.next());

describe("the demo person", () => {
  it("waits in the first neutral frames", () => {
    const first = truth.actions[0]?.t_ms[0] ?? 0;
    for (const index of play(new Script(truth), 50)) expect(truth.frames[index]?.t_ms).toBeLessThan(first);
  });

  it("plays the piece of each instruction after a moment, whole and in order", () => {
    for (const action of ["turnRight", "lookUp", "smile", "turnLeft", "blink"] as const) {
      const script = new Script(truth);
      play(script, 7);
      script.instruct(action);
      const shown = play(script, 45).map((i) => truth.frames[i]?.t_ms ?? -1);
      for (const piece of truth.actions.filter((a) => a.action === action)) {
        const [from, to] = piece.t_ms;
        const inside = truth.frames.map((f) => f.t_ms).filter((ms) => ms >= from && ms <= to);
        expect(shown.join()).toContain(inside.join());
      }
      expect(Math.max(...shown.slice(0, 3))).toBeLessThan(truth.actions[0]?.t_ms[0] ?? 0);
    }
  });

  it("plays it again when the server is not content, and rests when it looks straight", () => {
    const script = new Script(truth);
    script.instruct("smile");
    const peak = (truth.actions.find((a) => a.action === "smile")?.t_ms[0] ?? 0) + 500;
    const shown = play(script, 120).filter((i) => Math.abs((truth.frames[i]?.t_ms ?? 0) - peak) <= 50);
    expect(shown.length).toBeGreaterThan(2);
    script.instruct("center");
    const first = truth.actions[0]?.t_ms[0] ?? 0;
    for (const index of play(script, 60)) expect(truth.frames[index]?.t_ms).toBeLessThan(first);
  });
});

describe("the camera", () => {
  it("gives frames no longer than 640 pixels and never enlarges", () => {
    expect(frameSize(640, 480)).toEqual({ width: 640, height: 480 });
    expect(frameSize(1920, 1080)).toEqual({ width: 640, height: 360 });
    expect(frameSize(480, 640)).toEqual({ width: 480, height: 640 });
    expect(frameSize(320, 240)).toEqual({ width: 320, height: 240 });
    expect(frameSize(0, 0)).toEqual({ width: 0, height: 0 });
  });

  it("has a fault for whatever the browser throws", () => {
    const named = (name: string) => cameraFault(Object.assign(new Error(name), { name }));
    expect(named("NotAllowedError")).toBe("refused");
    expect(named("NotFoundError")).toBe("none");
    expect(named("NotReadableError")).toBe("in_use");
    expect(named("TypeError")).toBe("unsupported");
    expect(cameraFault(new CameraError("stopped"))).toBe("stopped");
    expect(cameraFault(null)).toBe("unsupported");
  });
});
