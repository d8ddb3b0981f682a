/**
 * The head's pose on the device, for one hint: a little further. Pure. The angles
 * and their signs are the server's (yaw > 0: the person turns to their left;
 * pitch > 0: looks up); the amplitude that counts is measured there, not here.
 */
import type { Face } from "./boxes";
import type { Action } from "../types";

/** Side of the crop that the mesh takes, in pixels. */
export const meshSide = 192;
const cropMargin = 1.25;

/** Head angles in degrees. */
export interface Pose {
  yaw: number;
  pitch: number;
}

/** A point x, y of the crop lies at (a x + b y + c, d x + e y + f) of the picture. */
export interface Crop {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

/** The upright square around a face, for a picture of that many pixels. */
export function cropOf(face: Face, width: number, height: number): Crop {
  const [lx, ly, rx, ry] = face.eyes;
  const angle = Math.atan2((ry - ly) * height, (rx - lx) * width);
  const scale = (Math.max(face.w * width, face.h * height) * cropMargin) / meshSide;
  const cos = scale * Math.cos(angle);
  const sin = scale * Math.sin(angle);
  const half = (meshSide - 1) / 2;
  return {
    a: cos, b: -sin, c: (face.x + face.w / 2) * width - half * (cos - sin),
    d: sin, e: cos, f: (face.y + face.h / 2) * height - half * (sin + cos),
  };
}

/** Fills the mesh's input, a plane each of red, green and blue of 0 to 1, from an RGBA picture. */
export function fillCrop(input: Float32Array, rgba: Uint8ClampedArray, width: number, height: number, crop: Crop): void {
  const plane = meshSide * meshSide;
  for (let y = 0; y < meshSide; y++) {
    for (let x = 0; x < meshSide; x++) {
      const sx = Math.min(width - 1, Math.max(0, crop.a * x + crop.b * y + crop.c));
      const sy = Math.min(height - 1, Math.max(0, crop.d * x + crop.e * y + crop.f));
      const x0 = Math.floor(sx);
      const y0 = Math.floor(sy);
      const right = x0 + 1 < width ? 4 : 0;
      const below = y0 + 1 < height ? 4 * width : 0;
      const fx = sx - x0;
      const fy = sy - y0;
      const i = 4 * (y0 * width + x0);
      for (let k = 0; k < 3; k++) {
        const top = (rgba[i + k] ?? 0) * (1 - fx) + (rgba[i + right + k] ?? 0) * fx;
        const bottom = (rgba[i + below + k] ?? 0) * (1 - fx) + (rgba[i + below + right + k] ?? 0) * fx;
        input[k * plane + y * meshSide + x] = (top * (1 - fy) + bottom * fy) / 255;
      }
    }
  }
}

type Vector = readonly [number, number, number];

const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unit = (a: Vector): Vector => {
  const length = Math.sqrt(dot(a, a)) || 1;
  return [a[0] / length, a[1] / length, a[2] / length];
};
const degrees = (radians: number): number => (radians * 180) / Math.PI;

// Points of the mesh: the sides of the face, forehead and chin.
const sideLeft = 234;
const sideRight = 454;
const forehead = 10;
const chin = 152;

/** The angles of a mesh of 468 points x, y, z of the upright crop. */
export function poseOf(mesh: Float32Array): Pose {
  const point = (i: number): Vector => [mesh[3 * i] ?? 0, mesh[3 * i + 1] ?? 0, mesh[3 * i + 2] ?? 0];
  const right = unit(minus(point(sideRight), point(sideLeft)));
  const drop = minus(point(chin), point(forehead));
  const along = dot(drop, right);
  const down = unit([drop[0] - along * right[0], drop[1] - along * right[1], drop[2] - along * right[2]]);
  const back: Vector = [right[1] * down[2] - right[2] * down[1], right[2] * down[0] - right[0] * down[2], right[0] * down[1] - right[1] * down[0]];
  return { yaw: degrees(Math.atan2(-back[0], back[2])), pitch: degrees(Math.asin(Math.min(1, Math.max(-1, back[1])))) };
}

/** How much of a movement there is, 1 being what counts; null for what is no movement of the head. */
function shareOf(action: Action, pose: Pose, rest: Pose): number | null {
  switch (action) {
    case "turnLeft":
      return (pose.yaw - rest.yaw) / 17;
    case "turnRight":
      return (rest.yaw - pose.yaw) / 17;
    case "lookUp":
      return (pose.pitch - rest.pitch) / 9;
    case "lookDown":
      return (rest.pitch - pose.pitch) / 9;
    default:
      return null;
  }
}

/** A movement that has begun and stays too small for so long, in milliseconds, is to go on. */
const patience = 900;
const begun = 0.3;

/** Follows the head through the instructions and says when a movement has stopped short. */
export class Turning {
  #rest: Pose | null = null;
  #step = "";
  #since: number | null = null;
  #reached = false;

  /** Takes the next pose, at a time in milliseconds, under the instruction in force. Returns whether to ask for more. */
  see(action: Action, index: number, pose: Pose, at: number): boolean {
    const step = `${String(index)} ${action}`;
    if (step !== this.#step) {
      this.#step = step;
      this.#since = null;
      this.#reached = false;
    }
    if (action === "center") {
      // The last poses before the first instruction weigh most.
      const rest = this.#rest ?? pose;
      this.#rest = { yaw: (rest.yaw + pose.yaw) / 2, pitch: (rest.pitch + pose.pitch) / 2 };
      return false;
    }
    const share = this.#rest === null ? null : shareOf(action, pose, this.#rest);
    if (share === null) return false;
    this.#reached ||= share >= 1;
    if (this.#reached || share < begun) {
      this.#since = null;
      return false;
    }
    this.#since ??= at;
    return at - this.#since >= patience;
  }
}
