/**
 * What the device itself makes of a check's pictures: which hint helps now, who is in
 * them, and whether they may leave. Everything here works without the guide too, and
 * then knows less.
 */
import type { Action } from "../types";
import { Company, padded, type Box, type Scene } from "./boxes";
import { Guidance, type DeviceHint } from "./guidance";
import type { Guide } from "./guide";
import { Turning, type Pose } from "./pose";

/** How long a check waits for the guide before it begins without, in milliseconds. */
const longestWait = 3000;
/** How long somebody else may stay near before the check is given up, in milliseconds. */
const crowdedFor = 8000;

export interface WatchEvents {
  onHint: (hint: DeviceHint | null) => void;
  /** Somebody else stays so near that no picture may leave. */
  onCrowded: () => void;
  /** What of the pictures is covered now, so that the person sees it too. */
  onCovered: (boxes: readonly Box[]) => void;
}

const none: readonly Box[] = [];

export class Watch {
  readonly #events: WatchEvents;
  readonly #guidance = new Guidance();
  readonly #company = new Company();
  readonly #turning = new Turning();
  #loading: Promise<void> | null = null;
  #guide: Guide | null = null;
  #closed = false;
  #instruction: { action: Action; index: number } | null = null;
  #further = false;
  #seen: DeviceHint | null = null;
  #crowdedSince: number | null = null;
  #told: DeviceHint | null = null;
  #covered = none;

  constructor(events: WatchEvents) {
    this.#events = events;
  }

  /** Begins to load the guide. Resolves when it is there, cannot be had, or takes too long. */
  async prepare(): Promise<void> {
    this.#loading ??= this.#load();
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.#loading, new Promise<void>((resolve) => { timer = setTimeout(resolve, longestWait); })]);
    clearTimeout(timer);
  }

  async #load(): Promise<void> {
    try {
      const { Guide } = await import("./guide");
      const guide = await Guide.open((pose, at) => { this.#turn(pose, at); });
      if (this.#closed) guide?.close();
      else this.#guide = guide;
    } catch {
      this.#guide = null; // hints come from the server and from the light alone
    }
  }

  /** Tells of the instruction in force. */
  instruct(action: Action, index: number): void {
    this.#instruction = { action, index };
    this.#further = false;
  }

  /** Who is in a frame; null when the device cannot know. */
  async sceneOf(frame: HTMLCanvasElement): Promise<Scene | null> {
    const look = (await this.#guide?.look(frame)) ?? null;
    return look === null ? null : this.#company.see(look.faces, look.at);
  }

  /** Takes what is known of the next frame. */
  look(scene: Scene | null, luma: Uint8ClampedArray | null): void {
    if (luma !== null) {
      const hint = this.#guidance.look(luma, scene);
      // The page's own colours change the light: what it makes of that is no news.
      this.#seen = this.#instruction?.action === "light" ? null : hint;
    }
    this.#show(scene?.others.map((other) => padded(other)) ?? none);
    const now = performance.now();
    if (scene?.crowded !== true) this.#crowdedSince = null;
    else this.#crowdedSince ??= now;
    this.#tell(this.#crowdedSince !== null ? "one_person_only" : this.#seen ?? (this.#further ? "further" : null));
    if (this.#crowdedSince !== null && now - this.#crowdedSince >= crowdedFor) this.#events.onCrowded();
  }

  #tell(hint: DeviceHint | null): void {
    if (hint === this.#told) return;
    this.#told = hint;
    this.#events.onHint(hint);
  }

  #show(boxes: readonly Box[]): void {
    if (boxes.length === 0 && this.#covered.length === 0) return;
    this.#covered = boxes;
    this.#events.onCovered(boxes);
  }

  #turn(pose: Pose, at: number): void {
    if (this.#instruction !== null) this.#further = this.#turning.see(this.#instruction.action, this.#instruction.index, pose, at);
  }

  /** Ends the guide and overwrites what is kept of the pictures. A closed watch is not used again. */
  close(): void {
    this.#closed = true;
    this.#guide?.close();
    this.#guide = null;
    this.#guidance.wipe();
  }
}
