/** How far one wheel click scrolls: about what browsers and toolkits move by default. */
const PIXELS_PER_WHEEL_CLICK = 100;

/** A model's pixels as wheel clicks and parts of one. */
export function wheelClicks(pixels: number): number {
  return pixels / PIXELS_PER_WHEEL_CLICK;
}
