/**
 * The colours at the end of a live check: the page fills the area around the oval
 * with them and the face reflects them. The server draws them; here they are kept
 * safe to look at, whatever arrives.
 */

/** Least time between two changes: a line that delivers several at once must not flash (WCAG 2.2, 2.3.1). */
export const leastBetween = 400;

/** Whether the system asks for little movement: then the page proposes to do without the colours. */
export function prefersCalm(): boolean {
  return typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** A colour as the server writes it, or null for the page's own. */
export function colourOf(text: string): string | null {
  return /^#[0-9a-f]{6}$/.test(text) ? text : null;
}

/** Shows the newest colour, at most one in each leastBetween milliseconds. */
export class Lamp {
  readonly #show: (colour: string | null) => void;
  #shown: string | null = null;
  #changed = -leastBetween;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(show: (colour: string | null) => void) {
    this.#show = show;
  }

  set(colour: string | null): void {
    clearTimeout(this.#timer);
    if (colour === this.#shown) return;
    const wait = this.#changed + leastBetween - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => { this.set(colour); }, Math.ceil(wait));
      return;
    }
    this.#shown = colour;
    this.#changed = performance.now();
    this.#show(colour);
  }

  /** Takes the colour away at once: the check is over. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#shown = null;
    this.#show(null);
  }
}
