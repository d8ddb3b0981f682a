/** Turns a playing video into JPEG frames, at most 15 a second, each as it is presented. */

import type { Scene } from "./boxes";
import { cover } from "./cover";
import { lookHeight, lookWidth, lumaOf } from "./guidance";

/** Longest side of a frame, in pixels: enough for a face, little for the line. */
const longestSide = 640;
const minInterval = 1000 / 15;
const quality = 0.85;
/** Every how many frames the picture is looked at for hints. */
const framesPerLook = 3;

/** Size of a frame: the video's, shrunk to the longest side. */
export function frameSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, longestSide / Math.max(width, height, 1));
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

function drawFrame(video: HTMLVideoElement, canvas: HTMLCanvasElement): boolean {
  const { width, height } = frameSize(video.videoWidth, video.videoHeight);
  if (width === 0 || height === 0) return false;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d", { alpha: false });
  // Not mirrored: only the preview is.
  context?.drawImage(video, 0, 0, width, height);
  return context !== null;
}

function jpegOf(canvas: HTMLCanvasElement): Promise<Blob | null> {
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", quality);
  });
}

/** Overwrites and releases a canvas, so that no picture stays behind. */
export function wipeCanvas(canvas: HTMLCanvasElement): void {
  canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
  canvas.width = 0;
  canvas.height = 0;
}

/** The brightness of a frame, much reduced, for the hints on the device. */
class Looker {
  readonly #small = document.createElement("canvas");
  readonly #context: CanvasRenderingContext2D | null;

  constructor() {
    this.#small.width = lookWidth;
    this.#small.height = lookHeight;
    this.#context = this.#small.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  look(frame: HTMLCanvasElement): Uint8ClampedArray | null {
    if (this.#context === null) return null;
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(frame, 0, 0, lookWidth, lookHeight);
    const { data } = this.#context.getImageData(0, 0, lookWidth, lookHeight);
    const luma = lumaOf(data);
    data.fill(0);
    return luma;
  }

  wipe(): void {
    wipeCanvas(this.#small);
  }
}

/** One picture of a playing video, for the demonstration's portrait. */
export async function takePicture(video: HTMLVideoElement): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  const picture = drawFrame(video, canvas) ? await jpegOf(canvas) : null;
  wipeCanvas(canvas);
  return picture;
}

export interface Capture {
  /** Who is in a frame, as far as the device knows; null when it does not. */
  sceneOf: (frame: HTMLCanvasElement) => Promise<Scene | null>;
  /** Each frame and the milliseconds since the start at which it was taken. Whoever stands by is covered. */
  onFrame: (capturedAtMs: number, jpeg: ArrayBuffer) => void;
  /** Who is in each frame, with the brightness of every third one; a crowded frame goes no further. */
  onLook: (scene: Scene | null, luma: Uint8ClampedArray | null) => void;
}

/** Captures until the stop, which is returned. A frame still being encoded makes the next one wait. */
export function captureFrames(video: HTMLVideoElement, { sceneOf, onFrame, onLook }: Capture): () => void {
  const canvas = document.createElement("canvas");
  const looker = new Looker();
  let taken = 0;
  const started = performance.now();
  let due = 0;
  let encoding = false;
  let stopped = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  // It changes while a frame is being looked at and encoded.
  const isStopped = () => stopped;

  const take = async () => {
    const at = performance.now() - started;
    // Some tolerance, or a 15 fps camera would lose every second picture.
    if (stopped || encoding || at < due - 8 || !drawFrame(video, canvas)) return;
    // From what was due, not from now: of 20 pictures a second 15 are taken, not 10.
    due = Math.max(due, at - minInterval) + minInterval;
    encoding = true;
    try {
      const luma = taken++ % framesPerLook === 0 ? looker.look(canvas) : null;
      const scene = await sceneOf(canvas);
      if (isStopped()) return;
      onLook(scene, luma);
      if (scene !== null) {
        if (scene.crowded) return;
        cover(canvas, scene);
      }
      const blob = await jpegOf(canvas);
      const jpeg = blob === null ? null : await blob.arrayBuffer();
      if (jpeg !== null && !isStopped()) onFrame(at, jpeg);
    } finally {
      encoding = false;
    }
  };

  if ("requestVideoFrameCallback" in video) {
    const next = () => {
      if (stopped) return;
      void take();
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  } else {
    timer = setInterval(() => void take(), minInterval);
  }
  return () => {
    stopped = true;
    clearInterval(timer);
    wipeCanvas(canvas);
    looker.wipe();
  };
}
