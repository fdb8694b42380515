/** What a system's scroll events count. X11: clicks of the wheel. macOS: pixels. Windows: 1/120 of a click (WHEEL_DELTA). */
const UNITS_PER_CLICK = { x11: 1, macos: 100, windows: 120 } as const;

/**
 * Wheel clicks in a system's own unit: whole, and never none where there should be some. A click is 100 pixels on macOS, which is what
 * browsers make of one on the other systems, so that a model's pixels go equally far on all.
 */
export function wheelUnits(clicks: number, system: keyof typeof UNITS_PER_CLICK): number {
  const units = Math.abs(clicks) * UNITS_PER_CLICK[system];
  return clicks === 0 ? 0 : Math.sign(clicks) * Math.max(1, Math.round(units));
}
