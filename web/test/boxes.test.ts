import { describe, expect, it } from "vitest";
import { Company, decodeFaces, lookSize, overlap, padded, type Seen, type Stride } from "../src/face/boxes";

/** A face by its middle and its width, in fractions. */
function face(x: number, y: number, w: number, score = 0.9): Seen {
  return { x: x - w / 2, y: y - w / 2, w, h: w, score, eyes: [x - w / 5, y, x + w / 5, y], colour: [1, 2, 3] };
}

/** An output of the detector for a 64x64 input, empty but for what is put into a cell. */
function stride(size: number, cells: { cell: number; score: number; box: number[] }[]): Stride {
  const n = (64 / size) ** 2;
  const out: Stride = { stride: size, cls: new Float32Array(n), obj: new Float32Array(n), box: new Float32Array(4 * n), points: new Float32Array(10 * n) };
  for (const { cell, score, box } of cells) {
    out.cls[cell] = score;
    out.obj[cell] = score;
    out.box.set(box, 4 * cell);
  }
  return out;
}

describe("the detector's outputs", () => {
  it("become boxes in fractions of the picture, whatever the padding of the input", () => {
    // Stride 8, cell 9 is column 1, row 1; the box is 16x32 pixels around (12, 12) of a picture of 64x48.
    const [found] = decodeFaces([stride(8, [{ cell: 9, score: 0.8, box: [0.5, 0.5, Math.log(2), Math.log(4)] }]), stride(16, []), stride(32, [])], 64, 64, 48);
    expect(found?.score).toBeCloseTo(0.8);
    expect(found?.x).toBeCloseTo(4 / 64);
    expect(found?.y).toBeCloseTo(-4 / 48);
    expect(found?.w).toBeCloseTo(16 / 64);
    expect(found?.h).toBeCloseTo(32 / 48);
    expect(found?.eyes[0]).toBeCloseTo(8 / 64);
  });

  it("are one face where boxes overlap, the stronger one, and the largest comes first", () => {
    const found = decodeFaces([stride(8, [
      { cell: 0, score: 0.7, box: [0.5, 0.5, Math.log(2), Math.log(2)] },
      { cell: 1, score: 0.9, box: [-0.4, 0.5, Math.log(2), Math.log(2)] },
      { cell: 63, score: 0.6, box: [0, 0, Math.log(3), Math.log(3)] },
      { cell: 30, score: 0.4, box: [0, 0, Math.log(9), Math.log(9)] },
    ])], 64, 64, 64);
    expect(found.map((f) => f.score.toFixed(1))).toEqual(["0.6", "0.9"]);
  });

  it("bear nonsense", () => {
    const broken = stride(8, [{ cell: 5, score: NaN, box: [0, 0, 0, 0] }, { cell: 6, score: 1, box: [0, 0, 1e9, 1e9] }]);
    for (const f of decodeFaces([broken], 64, 64, 64)) expect(Number.isFinite(f.w)).toBe(true);
  });
});

describe("who is in the picture", () => {
  it("is the largest face at first, and then whoever continues it", () => {
    const company = new Company();
    const [anna, passer] = [face(0.5, 0.5, 0.3), face(0.85, 0.3, 0.32)];
    expect(company.see([anna], 0).person).toBe(anna);
    const scene = company.see([passer, anna], 60);
    expect(scene.person).toBe(anna);
    expect(scene.others).toEqual([passer]);
    expect(scene.crowded).toBe(true);
  });

  it("is crowded from a fifth of the person's area on, as the server counts", () => {
    const crowded = (w: number, score = 0.9) => new Company().see([face(0.5, 0.5, 0.4), face(0.9, 0.2, w, score)], 0).crowded;
    expect(crowded(0.4 * Math.sqrt(0.21))).toBe(true);
    expect(crowded(0.4 * Math.sqrt(0.19))).toBe(false);
    expect(crowded(0.3, 0.55)).toBe(false); // the server would not take it for a face; it is covered all the same
  });

  it("does not take a bystander for the person who turns away for a moment", () => {
    const company = new Company();
    company.see([face(0.5, 0.5, 0.4)], 0);
    const child = face(0.85, 0.3, 0.1);
    expect(company.see([child], 300)).toEqual({ person: null, others: [child], crowded: false });
    expect(company.see([child], 2000).person).toBe(child);
  });

  it("keeps whom the detector misses for a moment, and then no more", () => {
    const company = new Company();
    const [anna, child, moved] = [face(0.5, 0.5, 0.3), face(0.85, 0.3, 0.1), face(0.86, 0.31, 0.1)];
    company.see([anna, child], 0);
    expect(company.see([anna], 400)).toEqual({ person: anna, others: [child], crowded: false });
    expect(company.see([anna, moved], 450).others).toEqual([moved]);
    expect(company.see([anna], 1000).others).toEqual([]);
  });

  it("is nobody where there is nobody", () => {
    expect(new Company().see([], 0)).toEqual({ person: null, others: [], crowded: false });
  });
});

describe("boxes", () => {
  it("overlap by what they share", () => {
    const a = { x: 0, y: 0, w: 1, h: 1 };
    expect(overlap(a, a)).toBe(1);
    expect(overlap(a, { x: 0.5, y: 0, w: 1, h: 1 })).toBeCloseTo(1 / 3);
    expect(overlap(a, { x: 1, y: 0, w: 1, h: 1 })).toBe(0);
  });

  it("are padded within the picture", () => {
    const box = { x: 0.25, y: 0.5, w: 0.25, h: 0.125, score: 1, eyes: [0, 0, 0, 0] as const };
    expect(padded(box, 0.5)).toEqual({ x: 0.125, y: 0.4375, w: 0.5, h: 0.25 });
    expect(padded({ ...box, x: 0, y: 0.875 }, 1)).toEqual({ x: 0, y: 0.75, w: 0.5, h: 0.25 });
  });

  it("belong to a picture of at most 320 pixels", () => {
    expect(lookSize(640, 480)).toEqual({ width: 320, height: 240 });
    expect(lookSize(480, 640)).toEqual({ width: 240, height: 320 });
    expect(lookSize(200, 100)).toEqual({ width: 200, height: 100 });
  });
});
