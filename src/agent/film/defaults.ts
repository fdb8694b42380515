/** Of films of runs. */
export const DEFAULT_PACE_SECONDS = 2;
export const DEFAULT_WIDTH_PX = 960;
