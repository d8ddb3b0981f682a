import { describe, expect, it } from "vitest";
import type { Face } from "../src/face/boxes";
import { cropOf, fillCrop, meshSide, poseOf, Turning } from "../src/face/pose";

/** A mesh of which only the four points of the pose are placed, turned by yaw and then pitch, in degrees. */
function head(yaw: number, pitch: number): Float32Array {
  const [y, p] = [(yaw * Math.PI) / 180, (pitch * Math.PI) / 180];
  const mesh = new Float32Array(3 * 468);
  const put = (i: number, x: number, h: number, z: number) => {
    // Pitch about the side-to-side axis, then yaw about the upright one; z grows away from the camera.
    const [h1, z1] = [h * Math.cos(p) + z * Math.sin(p), z * Math.cos(p) - h * Math.sin(p)];
    mesh.set([96 + x * Math.cos(y) - z1 * Math.sin(y), 96 + h1, z1 * Math.cos(y) + x * Math.sin(y)], 3 * i);
  };
  put(234, -60, 0, 0);
  put(454, 60, 0, 0);
  put(10, 0, -70, 0);
  put(152, 0, 70, 0);
  return mesh;
}

describe("the head's pose", () => {
  it("is read off the mesh with the server's signs", () => {
    for (const [yaw, pitch] of [[0, 0], [17, 0], [-25, 0], [0, 12], [0, -9], [15, 8]] as const) {
      const pose = poseOf(head(yaw, pitch));
      expect(pose.yaw).toBeCloseTo(yaw, 3);
      expect(pose.pitch).toBeCloseTo(pitch, 3);
    }
  });

  it("stays finite for a mesh of nothing", () => {
    const pose = poseOf(new Float32Array(3 * 468));
    expect(Number.isFinite(pose.yaw) && Number.isFinite(pose.pitch)).toBe(true);
  });
});

describe("the crop", () => {
  const upright: Face = { x: 0.25, y: 0.25, w: 0.5, h: 0.5, score: 1, eyes: [0.4, 0.4, 0.6, 0.4] };

  it("lies around the face and turns with the eyes", () => {
    const middle = (meshSide - 1) / 2;
    const at = (f: Face) => {
      const crop = cropOf(f, 100, 100);
      return [crop.a * middle + crop.b * middle + crop.c, crop.d * middle + crop.e * middle + crop.f, Math.hypot(crop.a, crop.d) * meshSide];
    };
    for (const f of [upright, { ...upright, eyes: [0.4, 0.3, 0.6, 0.5] as const }]) {
      const [x, y, side] = at(f);
      expect(x).toBeCloseTo(50);
      expect(y).toBeCloseTo(50);
      expect(side).toBeCloseTo(62.5);
    }
  });

  it("has a plane for each colour and stays within the picture", () => {
    const rgba = new Uint8ClampedArray(4 * 100 * 100);
    for (let i = 0; i < rgba.length; i += 4) rgba.set([255, 51, 0, 255], i);
    const input = new Float32Array(3 * meshSide * meshSide).fill(-1);
    fillCrop(input, rgba, 100, 100, cropOf({ ...upright, x: -0.2, y: 0.8 }, 100, 100));
    const plane = meshSide * meshSide;
    expect(input.subarray(0, plane).every((v) => Math.abs(v - 1) < 1e-6)).toBe(true);
    expect(input.subarray(plane, 2 * plane).every((v) => Math.abs(v - 0.2) < 1e-6)).toBe(true);
    expect(input.subarray(2 * plane).every((v) => v === 0)).toBe(true);
  });
});

describe("a little further", () => {
  const rested = () => {
    const turning = new Turning();
    for (let i = 0; i < 5; i++) turning.see("center", 0, { yaw: 2, pitch: -13 }, 100 * i);
    return turning;
  };

  it("is asked of a movement that has begun and stays too small", () => {
    for (const [action, pose] of [["turnLeft", { yaw: 12, pitch: -13 }], ["turnRight", { yaw: -9, pitch: -13 }], ["lookUp", { yaw: 2, pitch: -8 }], ["lookDown", { yaw: 2, pitch: -18 }]] as const) {
      const turning = rested();
      expect(turning.see(action, 1, pose, 1000)).toBe(false);
      expect(turning.see(action, 1, pose, 1500)).toBe(false);
      expect(turning.see(action, 1, pose, 2000)).toBe(true);
    }
  });

  it("is not asked of who waits, who has arrived, who comes back, or of a smile", () => {
    const turning = rested();
    for (let at = 1000; at < 4000; at += 100) expect(turning.see("turnLeft", 1, { yaw: 3, pitch: -13 }, at)).toBe(false);
    expect(turning.see("turnLeft", 1, { yaw: 20, pitch: -13 }, 4000)).toBe(false);
    for (let at = 4100; at < 7000; at += 100) expect(turning.see("turnLeft", 1, { yaw: 10, pitch: -13 }, at)).toBe(false);
    for (let at = 7000; at < 9000; at += 100) expect(turning.see("smile", 2, { yaw: 10, pitch: -13 }, at)).toBe(false);
  });

  it("starts anew with each instruction, and is silent where the resting pose is unknown", () => {
    const turning = rested();
    turning.see("turnLeft", 1, { yaw: 12, pitch: -13 }, 0);
    expect(turning.see("turnRight", 2, { yaw: -9, pitch: -13 }, 5000)).toBe(false);
    const unknown = new Turning();
    unknown.see("turnLeft", 1, { yaw: 12, pitch: -13 }, 0);
    expect(unknown.see("turnLeft", 1, { yaw: 12, pitch: -13 }, 5000)).toBe(false);
  });
});
