/** Covers whoever stands by, before a picture leaves the browser. */
import { padded, type Scene } from "./boxes";

/**
 * Paints each bystander's box over with one colour, the mean of what was there:
 * nothing of a face can be had back from it, nor from many such frames. The person of
 * the check is left as they are.
 */
export function cover(frame: HTMLCanvasElement, { person, others }: Scene): void {
  const context = others.length === 0 ? null : frame.getContext("2d", { alpha: false });
  if (context === null) return;
  const { width, height } = frame;
  context.save();
  if (person !== null) {
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(person.x * width, person.y * height, person.w * width, person.h * height);
    context.clip("evenodd");
  }
  for (const other of others) {
    const box = padded(other);
    context.fillStyle = `rgb(${other.colour.join(" ")})`;
    context.fillRect(box.x * width, box.y * height, box.w * width, box.h * height);
  }
  context.restore();
}
