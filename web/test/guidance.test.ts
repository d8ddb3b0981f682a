import { describe, expect, it } from "vitest";
import { Guidance, lookHeight, lookWidth, lumaOf, type DeviceHint } from "../src/face/guidance";

/** A picture by its brightness inside and outside of the oval, with a shift of its pattern. */
function picture(inside: number, outside: number, change: (x: number, y: number) => number = () => 0): Uint8ClampedArray {
  const luma = new Uint8ClampedArray(lookWidth * lookHeight);
  for (let y = 0; y < lookHeight; y++) {
    for (let x = 0; x < lookWidth; x++) {
      const oval = ((x + 0.5 - 32) / 11.8) ** 2 + ((y + 0.5 - 24) / 16.5) ** 2 <= 1;
      luma[y * lookWidth + x] = (oval ? inside : outside) + change(x, y);
    }
  }
  return luma;
}

function after(pictures: Uint8ClampedArray[]): DeviceHint | null {
  const guidance = new Guidance();
  return pictures.reduce<DeviceHint | null>((_, p) => guidance.look(p), null);
}

const steady = (inside: number, outside: number) => Array.from({ length: 6 }, () => picture(inside, outside));

describe("hints on the device", () => {
  it("says nothing about a face in fair light, of whatever skin", () => {
    for (const [inside, outside] of [[126, 139], [83, 121], [55, 130], [160, 135], [60, 60]] as const) expect(after(steady(inside, outside))).toBeNull();
  });

  it("tells a covered lens, a dark room, a window behind and a lamp in the face apart", () => {
    expect(after(steady(4, 5))).toBe("lens_covered");
    expect(after(steady(30, 40))).toBe("more_light");
    expect(after(steady(40, 200))).toBe("light_behind");
    expect(after(steady(255, 120))).toBe("less_light");
  });

  it("tells a camera that shakes from a person who is not in the oval", () => {
    const shaking = Array.from({ length: 6 }, (_, i) => picture(120, 120, () => (i % 2) * 40));
    expect(after(shaking)).toBe("hold_still");
    const beside = Array.from({ length: 6 }, (_, i) => picture(120, 120, (x) => (x > 46 && x < 56 ? (i % 2) * 60 : 0)));
    expect(after(beside)).toBe("center_face");
    const within = Array.from({ length: 6 }, (_, i) => picture(120, 120, (x) => (x > 24 && x < 44 ? (i % 2) * 60 : 0)));
    expect(after(within)).toBeNull();
  });

  it("comes only after several pictures agree, and goes at once", () => {
    const guidance = new Guidance();
    const dark = () => guidance.look(picture(30, 40));
    expect([dark(), dark(), dark(), dark()]).toEqual([null, null, null, "more_light"]);
    expect(guidance.look(picture(120, 130))).toBeNull();
    expect(dark()).toBeNull();
  });

  it("overwrites the picture that it compared with", () => {
    const guidance = new Guidance();
    const first = picture(120, 130);
    guidance.look(first);
    guidance.look(picture(121, 130));
    expect(first.every((v) => v === 0)).toBe(true);
  });

  it("weighs the colours of a picture as eyes do", () => {
    const rgba = new Uint8ClampedArray(4 * lookWidth * lookHeight);
    rgba.set([255, 255, 255, 255, 0, 255, 0, 255]);
    expect([...lumaOf(rgba).slice(0, 3)]).toEqual([255, 182, 0]);
  });
});
