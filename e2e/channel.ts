// Stands in for the server's end of the face channel, so that a test says which
// instruction is in force for how long, and keeps every frame that leaves the page.
import { expect, type Page, type WebSocketRoute } from "@playwright/test";
import type { Action } from "../web/src/types.ts";

export class Channel {
  /** The JPEG pictures that left the page, in order, with their capture times in milliseconds. */
  readonly frames: { at: number; jpeg: Buffer }[] = [];
  #socket: WebSocketRoute | null = null;

  /** Takes the place of the server; call before the check is started. */
  static async take(page: Page): Promise<Channel> {
    const channel = new Channel();
    await page.routeWebSocket("**/api/proofing/face", (socket) => {
      channel.#socket = socket;
      socket.onMessage((message) => {
        if (typeof message === "string") channel.say({ type: "instruction", index: 0, of: 8, action: "center", timeout_ms: 30_000 });
        else channel.frames.push({ at: Number(message.readBigUInt64BE(0)), jpeg: message.subarray(8) });
      });
    });
    return channel;
  }

  say(message: unknown): void {
    this.#socket?.send(JSON.stringify(message));
  }

  instruct(action: Action, index: number): void {
    this.say({ type: "instruction", index, of: 8, action, timeout_ms: 12_000 });
  }

  /** Waits until so many more frames have left the page, and returns them. */
  async next(count: number): Promise<Buffer[]> {
    const from = this.frames.length;
    await expect.poll(() => this.frames.length - from, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
    return this.frames.slice(from, from + count).map(({ jpeg }) => jpeg);
  }
}
