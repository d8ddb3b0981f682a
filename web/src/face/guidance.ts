/**
 * Hints on the device: light from simple statistics of the picture, framing from the
 * faces that the device found, or from movement where it finds none. They help the
 * person while nothing has been said by the server yet; they decide nothing and are
 * sent nowhere. The thresholds leave room for every skin: a hint
 * about light needs a dark room or a bright wall, never a dark face alone.
 */

import type { Scene } from "./boxes";

/** Width and height in which a picture is looked at. */
export const lookWidth = 64;
export const lookHeight = 48;

export type DeviceHint =
  | "lens_covered" | "more_light" | "less_light" | "light_behind"
  | "hold_still" | "center_face" | "come_closer" | "move_back" | "face_not_found" | "one_person_only" | "further";

/** Looks that must agree before a hint appears; at five a second, most of a second. */
const agreeing = 4;

interface Means {
  inside: number;
  outside: number;
  /** Left and right edges above the shoulders: still unless the camera itself moves. */
  edges: number;
}

/** Whether a pixel lies in the oval that the page draws. */
function inOval(x: number, y: number): boolean {
  const dx = (x + 0.5 - lookWidth / 2) / (lookWidth * 0.184);
  const dy = (y + 0.5 - lookHeight / 2) / (lookHeight * 0.344);
  return dx * dx + dy * dy <= 1;
}

const onEdge = (x: number, y: number): boolean => y < lookHeight * 0.75 && (x < 6 || x >= lookWidth - 6);

/** Means of a picture (or of a difference) inside the oval, outside of it and along the edges. */
function meansOf(value: (index: number) => number): Means {
  const sums = [0, 0, 0] as [number, number, number];
  const counts = [0, 0, 0] as [number, number, number];
  for (let y = 0; y < lookHeight; y++) {
    for (let x = 0; x < lookWidth; x++) {
      const v = value(y * lookWidth + x);
      const place = inOval(x, y) ? 0 : 1;
      sums[place] += v;
      counts[place]++;
      if (onEdge(x, y)) {
        sums[2] += v;
        counts[2]++;
      }
    }
  }
  return { inside: sums[0] / counts[0], outside: sums[1] / counts[1], edges: sums[2] / counts[2] };
}

/** Share of the oval that is burnt out, 0 to 1. */
function burntOf(luma: Uint8ClampedArray): number {
  return meansOf((i) => ((luma[i] ?? 0) >= 250 ? 1 : 0)).inside;
}

/** Brightness (ITU-R BT.709) of an RGBA picture of lookWidth x lookHeight. */
export function lumaOf(rgba: Uint8ClampedArray): Uint8ClampedArray {
  const luma = new Uint8ClampedArray(lookWidth * lookHeight);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = 0.2126 * (rgba[4 * i] ?? 0) + 0.7152 * (rgba[4 * i + 1] ?? 0) + 0.0722 * (rgba[4 * i + 2] ?? 0);
  }
  return luma;
}

/** What a single picture says about the light. */
function lightHint(luma: Uint8ClampedArray): DeviceHint | null {
  const { inside, outside } = meansOf((i) => luma[i] ?? 0);
  if (inside < 14 && outside < 14) return "lens_covered";
  if (inside < 45 && outside < 70) return "more_light";
  if (outside > 140 && inside < 0.35 * outside) return "light_behind";
  return burntOf(luma) > 0.25 ? "less_light" : null;
}

/** What the place of the face says; the limits are a little wider than those of the server. */
function framingHint({ person }: Scene): DeviceHint | null {
  if (person === null) return "face_not_found";
  if (person.w < 0.12) return "come_closer";
  if (person.h > 0.9) return "move_back";
  const x = person.x + person.w / 2;
  const y = person.y + person.h / 2;
  return x < 0.17 || x > 0.83 || y < 0.17 || y > 0.83 ? "center_face" : null;
}

/** Looks at one picture after the other and says what would help, when it is sure. */
export class Guidance {
  #previous: Uint8ClampedArray | null = null;
  #candidate: DeviceHint | null = null;
  #times = 0;
  #shown: DeviceHint | null = null;

  /** Takes the next picture, and who is in it where that is known. Returns the hint to show now, or null. */
  look(luma: Uint8ClampedArray, scene: Scene | null = null): DeviceHint | null {
    const motion = this.#motionHint(luma);
    // A shaking camera shows in the edges; the rest of what moves says nothing that the faces do not say better.
    const found = lightHint(luma) ?? (scene === null ? motion : framingHint(scene) ?? (motion === "hold_still" ? motion : null));
    this.wipe();
    this.#previous = luma;
    this.#times = found === this.#candidate ? this.#times + 1 : 1;
    this.#candidate = found;
    // A hint comes slowly and goes at once.
    if (found !== this.#shown) this.#shown = this.#times >= agreeing ? found : null;
    return this.#shown;
  }

  /** Overwrites the picture that is kept for the next comparison. */
  wipe(): void {
    this.#previous?.fill(0);
    this.#previous = null;
  }

  #motionHint(luma: Uint8ClampedArray): DeviceHint | null {
    const before = this.#previous;
    if (before === null) return null;
    const moved = meansOf((i) => Math.abs((luma[i] ?? 0) - (before[i] ?? 0)));
    if (moved.edges > 12 && moved.outside > 12) return "hold_still";
    // Somebody moves, and not where the oval is.
    return moved.outside > 2.5 && moved.inside < 0.4 ? "center_face" : null;
  }
}
