/**
 * Faces in a picture: what the detector's outputs mean, who is the person of the
 * check and who stands by. Pure. The rules are those of the server, which decides.
 */

/** A face, in fractions of the picture's width and height. */
export interface Face {
  x: number;
  y: number;
  w: number;
  h: number;
  /** How sure the detector is, 0 to 1. */
  score: number;
  /** Middle of the eye that is on the left of the picture, then of the other. */
  eyes: readonly [number, number, number, number];
}

/** A face and the mean colour of its box: red, green, blue, 0 to 255. */
export interface Seen extends Face {
  colour: readonly [number, number, number];
}

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** From here on a box is taken for a face, so that a person who stands by is found early. */
const faintScore = 0.5;
/** From here on the server takes it for a face. */
const sureScore = 0.6;
/** Overlap above which two boxes are the same face. */
const sameFace = 0.3;
/** Area of a second face over the first's, from which it counts as near. */
const nearFace = 0.2;
/** Overlap with where the person was a moment ago, from which a face is theirs. */
const follows = 0.1;
/** A person who turns away for so long is still the person of the check, in milliseconds. */
const remembered = 1000;
/** A bystander whom the detector misses for so long is still covered where they were, in milliseconds. */
const lingers = 500;

const area = (box: Box): number => box.w * box.h;

/** Intersection over union. */
export function overlap(a: Box, b: Box): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (area(a) + area(b) - w * h);
}

/** One stride of YuNet's output: for each cell a class and an object score, a box and five points. */
export interface Stride {
  stride: number;
  cls: Float32Array;
  obj: Float32Array;
  box: Float32Array;
  points: Float32Array;
}

/**
 * Reads YuNet's outputs (Wu et al. 2023). columnsAt is the width of the network's
 * input, width and height are those of the picture in it, all in pixels. The
 * strongest of overlapping boxes remains; the largest comes first.
 */
export function decodeFaces(strides: readonly Stride[], columnsAt: number, width: number, height: number): Face[] {
  const found: Face[] = [];
  for (const { stride, cls, obj, box, points } of strides) {
    const columns = columnsAt / stride;
    for (let cell = 0; cell < cls.length; cell++) {
      const score = Math.sqrt(Math.max(0, (cls[cell] ?? 0) * (obj[cell] ?? 0)));
      if (score < faintScore) continue;
      const column = cell % columns;
      const row = Math.floor(cell / columns);
      const at = (values: Float32Array, i: number) => values[i] ?? 0;
      const w = Math.exp(Math.min(at(box, 4 * cell + 2), 20)) * stride;
      const h = Math.exp(Math.min(at(box, 4 * cell + 3), 20)) * stride;
      const px = (i: number) => ((at(points, 10 * cell + 2 * i) + column) * stride) / width;
      const py = (i: number) => ((at(points, 10 * cell + 2 * i + 1) + row) * stride) / height;
      found.push({
        x: ((column + at(box, 4 * cell)) * stride - w / 2) / width,
        y: ((row + at(box, 4 * cell + 1)) * stride - h / 2) / height,
        w: w / width,
        h: h / height,
        score,
        eyes: [px(0), py(0), px(1), py(1)],
      });
    }
  }
  found.sort((a, b) => b.score - a.score);
  const kept: Face[] = [];
  for (const face of found) if (!kept.some((other) => overlap(face, other) > sameFace)) kept.push(face);
  return kept.sort((a, b) => area(b) - area(a));
}

/** Who is in a picture. */
export interface Scene {
  /** The person of the check, or null when nobody is seen. */
  person: Seen | null;
  /** Everybody else, and whoever was there a moment ago. */
  others: readonly Seen[];
  /** Whether somebody else is so near that the picture is not to be sent. */
  crowded: boolean;
}

/** Tells the person of the check from whoever stands by, picture after picture. */
export class Company {
  #last: Seen | null = null;
  #lastAt = 0;
  #others: { face: Seen; at: number }[] = [];

  /** Takes the faces of the next picture, the largest first, at a time in milliseconds. */
  see(faces: readonly Seen[], at: number): Scene {
    const last = this.#last !== null && at - this.#lastAt <= remembered ? this.#last : null;
    const person = last === null ? (faces[0] ?? null) : this.#continued(faces, last);
    if (person !== null) {
      this.#last = person;
      this.#lastAt = at;
    }
    const measure = person ?? last;
    const present = faces.filter((face) => face !== person);
    const crowded = measure !== null && present.some((face) => face.score >= sureScore && area(face) >= nearFace * area(measure));
    const missed = this.#others.filter((other) => at - other.at <= lingers && !faces.some((face) => overlap(face, other.face) > 0));
    this.#others = [...present.map((face) => ({ face, at })), ...missed];
    return { person, others: this.#others.map(({ face }) => face), crowded };
  }

  /** The face that continues the last one; a far smaller one elsewhere is not the person, who turned away. */
  #continued(faces: readonly Seen[], last: Seen): Seen | null {
    let best: Seen | null = null;
    for (const face of faces) if (overlap(face, last) > (best === null ? follows : overlap(best, last))) best = face;
    return best ?? faces.find((face) => area(face) >= nearFace * area(last)) ?? null;
  }
}

/** A face's box with its hair, ears and chin, and some way in which it may have moved since; within the picture. */
export function padded(face: Box, by = 0.35): Box {
  const x = Math.max(0, face.x - by * face.w);
  const y = Math.max(0, face.y - by * face.h);
  return { x, y, w: Math.max(0, Math.min(1, face.x + (1 + by) * face.w) - x), h: Math.max(0, Math.min(1, face.y + (1 + by) * face.h) - y) };
}

/** Side of the square that is the small picture's, and of what a network takes: a multiple of 32. */
export const lookSide = 320;

/** The size in which a picture of that size is looked at: its longer side is lookSide at most. */
export function lookSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, lookSide / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
