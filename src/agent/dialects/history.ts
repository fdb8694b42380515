/**
 * The first turn whose picture is still shown after so many turns: those since the last compaction, and the one before it so that
 * there is always a before and an after. Between compactions a conversation only grows at its end, and a server's prefix cache keeps
 * everything but the newest screenshot; with them no prompt ever holds more than `turnsBetween` + 1 pictures.
 */
export function firstPictureKept(turnsDone: number, turnsBetween: number): number {
  return Math.max(0, Math.floor(turnsDone / turnsBetween) * turnsBetween - 1);
}
