/**
 * The demonstration's camera: a rendered person who does not exist, played on a
 * canvas. It waits in the neutral first frames and, on each instruction, plays that
 * person's piece. Fetched in demo mode only; everything after it is the real path.
 */
import { api } from "../api";
import { CameraError, type PictureSource } from "../face/source";
import type { Action } from "../types";
import { demoPerson } from "./person";

export interface Truth {
  width: number;
  height: number;
  fps: number;
  frames: { file: string; t_ms: number }[];
  actions: { action: string; t_ms: [number, number] }[];
}

/** Frames that pass before the person reacts, at 10 a second: human, not instant. */
const reaction = 4;

/** Decides which frame is shown when. Pure, so that it can be tested. */
export class Script {
  readonly #truth: Truth;
  readonly #idle: number[];
  #queue: number[] = [];
  #tick = 0;
  #action: Action | null = null;
  #waited = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
    const rest = Math.max(2, this.#indexAt((truth.actions[0]?.t_ms[0] ?? 600) - 100));
    const forth = Array.from({ length: rest + 1 }, (_, i) => i);
    this.#idle = [...forth, ...forth.slice(1, -1).reverse()];
  }

  #indexAt(ms: number): number {
    return Math.max(0, this.#truth.frames.findLastIndex((f) => f.t_ms <= ms));
  }

  #piece(action: Action): number[] {
    const pieces = this.#truth.actions.filter((a) => a.action === action);
    return pieces.flatMap(({ t_ms: [from, to] }) => {
      const first = this.#indexAt(from);
      return Array.from({ length: this.#indexAt(to) - first + 1 }, (_, i) => first + i);
    });
  }

  #rest(): number {
    return this.#idle[this.#tick++ % this.#idle.length] ?? 0;
  }

  /** The next instruction: after a moment, its piece. */
  instruct(action: Action): void {
    this.#action = action;
    this.#waited = 0;
    this.#queue = [...Array.from({ length: reaction }, () => this.#rest()), ...this.#piece(action)];
  }

  /** Index of the next frame. A piece that has not satisfied is played again after a pause. */
  next(): number {
    const queued = this.#queue.shift();
    if (queued !== undefined) return queued;
    if (this.#action !== null && this.#action !== "center" && ++this.#waited > 15) this.instruct(this.#action);
    return this.#rest();
  }
}

async function loadFrames(person: string, truth: Truth): Promise<ImageBitmap[]> {
  const frames: ImageBitmap[] = new Array<ImageBitmap>(truth.frames.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < truth.frames.length; i = next++) {
      const file = truth.frames[i]?.file ?? "";
      frames[i] = await createImageBitmap(await api.demoFrame(person, file));
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  return frames;
}

/** Opens the demo person as a picture source. */
export async function openDemoCamera(): Promise<PictureSource> {
  const truth = await api.demoTruth<Truth>(demoPerson).catch(() => { throw new CameraError("none"); });
  const frames = await loadFrames(demoPerson, truth).catch(() => { throw new CameraError("none"); });
  const canvas = document.createElement("canvas");
  canvas.width = truth.width;
  canvas.height = truth.height;
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new CameraError("unsupported");
  const script = new Script(truth);
  const draw = () => {
    const frame = frames[script.next()];
    if (frame === undefined) return;
    context.drawImage(frame, 0, 0, canvas.width, canvas.height);
    grain(context, canvas.width, canvas.height);
  };
  draw();
  const timer = setInterval(draw, 1000 / truth.fps);
  const stream = canvas.captureStream(2 * truth.fps);
  return {
    stream,
    instruct: (action) => { script.instruct(action); },
    stop: () => {
      clearInterval(timer);
      for (const track of stream.getTracks()) track.stop();
      for (const frame of frames) frame.close();
    },
  };
}

/** A sensor never gives the same picture twice: a little grain, as a camera has. */
function grain(context: CanvasRenderingContext2D, width: number, height: number): void {
  for (let i = 0; i < 160; i++) {
    context.fillStyle = Math.random() < 0.5 ? "rgb(0 0 0 / 3%)" : "rgb(255 255 255 / 3%)";
    context.fillRect(Math.random() * width, Math.random() * height, 2, 2);
  }
}
