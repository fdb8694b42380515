/** Of films of runs. */
export const PACE_SECONDS = { least: 0.1, most: 60, default: 2 } as const;
export const WIDTH_PX = { least: 160, most: 3840, default: 960 } as const;
