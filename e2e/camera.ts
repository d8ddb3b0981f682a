// The browser tests' camera. It replaces getUserMedia before the page's own code
// runs: the product has no door for it. It plays recorded pieces of a rendered
// person, chosen by the instruction that the page shows, as a person would act.
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Page } from "@playwright/test";

const people = path.resolve(import.meta.dirname, "..", "testdata", "people");

interface Truth {
  frames: { file: string; t_ms: number }[];
  actions?: { action: string; t_ms: [number, number] }[];
}

/** What the camera shows. */
export interface Scene {
  /** Folder under testdata/people that holds truth.json, e.g. "people/p02/live". */
  dir: string;
  /** follow: plays the piece of each instruction. loop: plays everything again and again, whatever is asked. */
  play: "follow" | "loop";
  /** Somebody who stands by: a portrait under testdata/people, and where its left upper corner and its right edge are, in pixels of the 640x480 picture. */
  beside?: { portrait: string; left: number; top: number; right: number };
}

/** Puts the scene in front of the page's camera; call before the page is opened. */
export async function installCamera(page: Page, scene: Scene): Promise<void> {
  const dir = path.join(people, scene.dir);
  const truth = JSON.parse(await readFile(path.join(dir, "truth.json"), "utf8")) as Truth;
  await page.route("**/__camera/**", async (route) => {
    const index = Number(new URL(route.request().url()).pathname.split("/").pop());
    const frame = truth.frames[index];
    if (frame === undefined) return route.fulfill({ status: 404 });
    return route.fulfill({ contentType: "image/jpeg", body: await readFile(path.join(dir, frame.file)) });
  });
  const { beside } = scene;
  if (beside !== undefined) {
    await page.route("**/__camera/beside", async (route) => route.fulfill({ contentType: "image/jpeg", body: await readFile(path.join(people, beside.portrait)) }));
  }
  await page.addInitScript(cameraScript, { times: truth.frames.map((f) => f.t_ms), actions: truth.actions ?? [], play: scene.play, beside: beside ?? null });
}

interface CameraInput {
  times: number[];
  actions: NonNullable<Truth["actions"]>;
  play: Scene["play"];
  beside: { left: number; top: number; right: number } | null;
}

// Runs in the page.
function cameraScript(input: CameraInput): void {
  const pictures = new Map<number, ImageBitmap>();
  const fetchPicture = async (name: string): Promise<ImageBitmap> => createImageBitmap(await (await fetch(`/__camera/${name}`)).blob());
  const load = async (i: number): Promise<void> => { pictures.set(i, await fetchPicture(String(i))); };
  const indexAt = (ms: number): number => Math.max(0, input.times.findLastIndex((t) => t <= ms));
  const step = 100; // ms a picture is shown
  // The pictures of a stretch of time, at the pace at which they were recorded.
  const stretch = (from: number, to: number): number[] => Array.from({ length: Math.max(1, Math.round((to - from) / step) + 1) }, (_, k) => indexAt(from + k * step));
  // The neutral beginning, forth and back: a person waiting.
  const forth = stretch(0, Math.max(200, (input.actions[0]?.t_ms[0] ?? 600) - step));
  const idle = [...forth, ...forth.slice(1, -1).reverse()];
  const whole = stretch(0, (input.times.at(-1) ?? 0));
  const nothingFor = 25; // pictures without success before a person tries again

  navigator.mediaDevices.getUserMedia = async () => {
    const wanted = input.times.map((_, i) => i);
    for (let i = 0; i < wanted.length; i += 12) await Promise.all(wanted.slice(i, i + 12).map(load));
    const { beside } = input;
    const other = beside === null ? null : await fetchPicture("beside");
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 480;
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas");
    let queue: number[] = [];
    let shown = "";
    let waited = 0;
    let tick = 0;
    let blinks = 0;
    const act = (action: string): void => {
      const pieces = input.actions.filter((a) => a.action === action);
      const piece = action === "blink" ? pieces[blinks++ % Math.max(1, pieces.length)] : pieces[0];
      waited = 0;
      // A person needs a moment to understand before acting.
      queue = piece === undefined ? [] : [...idle.slice(0, 4), ...stretch(piece.t_ms[0], piece.t_ms[1])];
    };
    const next = (): number => {
      if (input.play === "loop") return whole[tick % whole.length] ?? 0;
      const { action = "", step: index = "" } = document.querySelector<HTMLElement>("[data-action]")?.dataset ?? {};
      if (`${index}/${action}` !== shown || (queue.length === 0 && ++waited > nothingFor)) {
        shown = `${index}/${action}`;
        act(action);
      }
      return queue.shift() ?? idle[tick % idle.length] ?? 0;
    };
    const draw = (): void => {
      const picture = pictures.get(next());
      tick++;
      if (picture !== undefined) context.drawImage(picture, 0, 0, 640, 480);
      if (other !== null && beside !== null) {
        const width = beside.right - beside.left;
        context.drawImage(other, beside.left, beside.top, width, (width * other.height) / other.width);
      }
      // A sensor never gives the same picture twice.
      for (let k = 0; k < 200; k++) {
        context.fillStyle = `rgba(${Math.random() < 0.5 ? "0,0,0" : "255,255,255"},0.03)`;
        context.fillRect(Math.random() * 640, Math.random() * 480, 2, 2);
      }
    };
    draw();
    const timer = setInterval(draw, step);
    const stream = canvas.captureStream(15);
    for (const track of stream.getTracks()) {
      const stop = track.stop.bind(track);
      track.stop = () => { clearInterval(timer); stop(); };
    }
    return stream;
  };
}
