/**
 * Guidance on the device: starts the worker, hands it small pictures and says what it
 * saw. It decides nothing and sends nothing. Where it cannot run, or is too slow, it
 * is simply not there.
 */
import manifest from "../../../face/pack/default/manifest.json";
import runtimeAddress from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { api } from "../api";
import { lookSize, type Seen } from "./boxes";
import workerAddress from "./guide-worker?worker&url";
import type { Answer, Ask } from "./guide-worker";
import type { Pose } from "./pose";

/** How long a picture waits for its own faces before those of the last one serve, in milliseconds. */
const patience = 30;
/** Mean time of a look, in milliseconds, from which waiting would cost frames and pictures do not wait. */
const outOfPatience = 45;
/** Faces older than this serve no more: the picture waits for newer ones, in milliseconds. */
const stale = 500;
/** Mean time of a look, in milliseconds, from which the device is too slow to help. */
const tooSlow = 350;
/** Every how many looks the pose is measured. */
const looksPerPose = 3;

/** The address of a network of the default pack, named by its hash: docs/models.md. */
function modelAddress(role: "detector" | "mesh"): string {
  const network = manifest.networks.find((n) => n.role === role);
  return `/assets/models/${network?.sha256 ?? ""}.onnx`;
}

// Trusted Types are not in TypeScript's own library yet.
interface PolicyFactory {
  createPolicy: (name: string, rules: { createScriptURL: (address: string) => string }) => { createScriptURL: (address: string) => string };
}

/** The one address at which this page may start a script: that of the worker. */
function trustedWorkerAddress(): string {
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  if (factory === undefined) return workerAddress;
  return factory.createPolicy("ipse-guide", { createScriptURL: () => workerAddress }).createScriptURL("");
}

const trustedAddress = trustedWorkerAddress();

/** What is known of a picture. */
export interface Look {
  faces: readonly Seen[];
  /** Time since the page's start at which the picture that shows them was taken, in milliseconds. */
  at: number;
}

export class Guide {
  readonly #worker: Worker;
  readonly #small = document.createElement("canvas");
  readonly #onPose: (pose: Pose, at: number) => void;
  #answer: ((ready: boolean) => void) | null = null;
  /** Resolved by the faces of the look under way, or by the end. */
  #faces: Promise<void> = Promise.resolve();
  #onFaces: (() => void) | null = null;
  #last: Look | null = null;
  #lookedAt = 0;
  #resting = true;
  #looks = 0;
  #meanTime = 0;
  #over = false;

  private constructor(onPose: (pose: Pose, at: number) => void) {
    this.#onPose = onPose;
    this.#worker = new Worker(trustedAddress, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => { this.#hear(data); };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.close();
    };
  }

  /** Fetches what it takes and starts the worker. Null where that cannot be done. */
  static async open(onPose: (pose: Pose, at: number) => void): Promise<Guide | null> {
    let guide: Guide | null = null;
    try {
      const [runtime, detector, mesh] = await Promise.all([api.asset(runtimeAddress), api.asset(modelAddress("detector")), api.asset(modelAddress("mesh"))]);
      guide = new Guide(onPose);
      return await guide.#begin(runtime, detector, mesh) ? guide : null;
    } catch {
      guide?.close();
      return null;
    }
  }

  /** Whether it has been closed, by the page or because the device is too slow. */
  get over(): boolean {
    return this.#over;
  }

  #begin(runtime: ArrayBuffer, detector: ArrayBuffer, mesh: ArrayBuffer): Promise<boolean> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#ask({ kind: "begin", runtime, detector, mesh }, [runtime, detector, mesh]);
    });
  }

  #ask(ask: Ask, handedOver: ArrayBuffer[]): void {
    this.#worker.postMessage(ask, handedOver);
  }

  #hear(answer: Answer): void {
    if (this.#over) return;
    switch (answer.kind) {
      case "ready":
        this.#answer?.(true);
        this.#answer = null;
        break;
      case "failed":
        this.close();
        break;
      case "faces": {
        this.#last = { faces: answer.faces, at: this.#lookedAt };
        const took = performance.now() - this.#lookedAt;
        this.#meanTime = this.#looks === 1 ? took : 0.9 * this.#meanTime + 0.1 * took;
        this.#onFaces?.();
        this.#onFaces = null;
        break;
      }
      case "rested":
        this.#resting = true;
        if (answer.pose !== null) this.#onPose(answer.pose, this.#lookedAt);
        if (this.#looks >= 10 && this.#meanTime > tooSlow) this.close();
        break;
    }
  }

  /**
   * Looks at a frame. Resolves with its faces, or, when that takes too long, with those
   * of the last frame that was looked at; null when it is over.
   */
  async look(frame: HTMLCanvasElement): Promise<Look | null> {
    if (this.#resting && !this.#over) this.#askAbout(frame);
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.#faces, new Promise<void>((resolve) => { timer = setTimeout(resolve, this.#meanTime > outOfPatience ? 0 : patience); })]);
    clearTimeout(timer);
    if (this.#last === null || performance.now() - this.#last.at > stale) await this.#faces;
    return this.#last;
  }

  #askAbout(frame: HTMLCanvasElement): void {
    const { width, height } = lookSize(frame.width, frame.height);
    if (this.#small.width !== width || this.#small.height !== height) {
      this.#small.width = width;
      this.#small.height = height;
    }
    const context = this.#small.getContext("2d", { alpha: false, willReadFrequently: true });
    if (context === null) {
      this.close();
      return;
    }
    context.drawImage(frame, 0, 0, width, height);
    const rgba = context.getImageData(0, 0, width, height).data.buffer;
    this.#faces = new Promise((resolve) => { this.#onFaces = resolve; });
    this.#resting = false;
    this.#lookedAt = performance.now();
    this.#ask({ kind: "look", width, height, rgba, pose: this.#looks++ % looksPerPose === 0 }, [rgba]);
  }

  /** Ends the worker and everything that it held. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#worker.terminate();
    this.#answer?.(false);
    this.#onFaces?.();
    this.#last = null;
    this.#small.width = 0;
    this.#small.height = 0;
  }
}
