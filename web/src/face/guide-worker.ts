/**
 * Looks at pictures in a thread of its own: YuNet finds faces, the face mesh gives
 * the head's pose. What it needs is handed to it; its content policy lets it load
 * and send nothing (web.go). Every picture is overwritten when it has been looked at.
 */
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { decodeFaces, type Face, type Seen, type Stride } from "./boxes";
import { cropOf, fillCrop, meshSide, poseOf, type Pose } from "./pose";

/** What the page says to the worker. */
export type Ask =
  | { kind: "begin"; runtime: ArrayBuffer; detector: ArrayBuffer; mesh: ArrayBuffer }
  | { kind: "look"; width: number; height: number; rgba: ArrayBuffer; pose: boolean };

/** What the worker says to the page. Each look is answered by faces and then by rested. */
export type Answer =
  | { kind: "ready" }
  | { kind: "failed" }
  | { kind: "faces"; faces: Seen[] }
  | { kind: "rested"; pose: Pose | null };

const strides = [8, 16, 32] as const;
/** Probability of a face in the mesh's crop, as a logit: one half. */
const meshLogit = 0;
const ceil32 = (n: number): number => Math.ceil(n / 32) * 32;

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error("not an output of this network");
  return tensor.data;
}

/** Mean colour of a face's box. */
function colourOf(face: Face, rgba: Uint8ClampedArray, width: number, height: number): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  let count = 0;
  const right = Math.min(width, Math.ceil((face.x + face.w) * width));
  const bottom = Math.min(height, Math.ceil((face.y + face.h) * height));
  for (let y = Math.max(0, Math.floor(face.y * height)); y < bottom; y += 2) {
    for (let x = Math.max(0, Math.floor(face.x * width)); x < right; x += 2) {
      const i = 4 * (y * width + x);
      sum[0] += rgba[i] ?? 0;
      sum[1] += rgba[i + 1] ?? 0;
      sum[2] += rgba[i + 2] ?? 0;
      count++;
    }
  }
  return count === 0 ? [128, 128, 128] : [Math.round(sum[0] / count), Math.round(sum[1] / count), Math.round(sum[2] / count)];
}

/** Both networks, ready to run. */
class Eyes {
  readonly #detector: InferenceSession;
  readonly #mesh: InferenceSession;
  #detectorInput = new Float32Array(0);
  readonly #meshInput = new Float32Array(3 * meshSide * meshSide);

  private constructor(detector: InferenceSession, mesh: InferenceSession) {
    this.#detector = detector;
    this.#mesh = mesh;
  }

  static async open(runtime: ArrayBuffer, detector: ArrayBuffer, mesh: ArrayBuffer): Promise<Eyes> {
    env.wasm.wasmBinary = runtime;
    env.wasm.numThreads = 1; // more would need a page isolated from all others, and the other core encodes
    env.logLevel = "fatal";
    const options: InferenceSession.SessionOptions = { executionProviders: ["wasm"], graphOptimizationLevel: "all", logSeverityLevel: 4 };
    return new Eyes(await InferenceSession.create(detector, options), await InferenceSession.create(mesh, options));
  }

  /** Finds the faces of a picture. */
  async faces(rgba: Uint8ClampedArray, width: number, height: number): Promise<Seen[]> {
    const w = ceil32(width);
    const h = ceil32(height);
    if (this.#detectorInput.length !== 3 * w * h) this.#detectorInput = new Float32Array(3 * w * h);
    const input = this.#detectorInput;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = 4 * (y * width + x);
        const o = y * w + x;
        // Blue, green, red; 0 to 255.
        input[o] = rgba[i + 2] ?? 0;
        input[w * h + o] = rgba[i + 1] ?? 0;
        input[2 * w * h + o] = rgba[i] ?? 0;
      }
    }
    try {
      const out = await this.#detector.run({ input: new Tensor("float32", input, [1, 3, h, w]) });
      const heads = strides.map((stride): Stride => ({
        stride,
        cls: floats(out[`cls_${stride}`]),
        obj: floats(out[`obj_${stride}`]),
        box: floats(out[`bbox_${stride}`]),
        points: floats(out[`kps_${stride}`]),
      }));
      return decodeFaces(heads, w, width, height).map((face) => ({ ...face, colour: colourOf(face, rgba, width, height) }));
    } finally {
      input.fill(0);
    }
  }

  /** The pose of a face, or null when the mesh sees none. */
  async pose(face: Face, rgba: Uint8ClampedArray, width: number, height: number): Promise<Pose | null> {
    fillCrop(this.#meshInput, rgba, width, height, cropOf(face, width, height));
    try {
      const [name = ""] = this.#mesh.inputNames;
      const out = await this.#mesh.run({ [name]: new Tensor("float32", this.#meshInput, [1, 3, meshSide, meshSide]) });
      const [points = "", score = ""] = this.#mesh.outputNames;
      return (floats(out[score])[0] ?? 0) < meshLogit ? null : poseOf(floats(out[points]));
    } finally {
      this.#meshInput.fill(0);
    }
  }
}

const say = (answer: Answer): void => { self.postMessage(answer); };
let eyes: Eyes | null = null;

/** A first run allocates what later ones use; a device on which a run takes longer than this is too slow to help. */
const tooSlow = 250;

async function begin(ask: Extract<Ask, { kind: "begin" }>): Promise<void> {
  const opened = await Eyes.open(ask.runtime, ask.detector, ask.mesh);
  const blank = new Uint8ClampedArray(4 * 320 * 240);
  const face: Face = { x: 0.3, y: 0.3, w: 0.4, h: 0.4, score: 1, eyes: [0.4, 0.4, 0.6, 0.4] };
  await opened.faces(blank, 320, 240);
  await opened.pose(face, blank, 320, 240);
  let best = Infinity; // of three: a machine may be busy for a moment
  for (let i = 0; i < 3 && best > tooSlow; i++) {
    const started = performance.now();
    await opened.faces(blank, 320, 240);
    best = performance.now() - started;
  }
  if (best > tooSlow) throw new Error("slow");
  eyes = opened;
}

async function look(opened: Eyes, ask: Extract<Ask, { kind: "look" }>): Promise<void> {
  const rgba = new Uint8ClampedArray(ask.rgba);
  try {
    const faces = await opened.faces(rgba, ask.width, ask.height);
    say({ kind: "faces", faces });
    const [largest] = faces;
    say({ kind: "rested", pose: ask.pose && largest !== undefined ? await opened.pose(largest, rgba, ask.width, ask.height) : null });
  } finally {
    rgba.fill(0);
  }
}

self.onmessage = ({ data }: MessageEvent<Ask>) => {
  const failed = (): void => { say({ kind: "failed" }); };
  if (data.kind === "begin") begin(data).then(() => { say({ kind: "ready" }); }, failed);
  else if (eyes !== null) look(eyes, data).catch(failed);
};
