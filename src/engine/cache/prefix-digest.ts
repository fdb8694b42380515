import { createHash } from "node:crypto";
import type { Rows } from "./prefix-tree.js";

/** Stands before a medium's digest in what is hashed; no token has this id. */
const MEDIUM = 0xffff_ffff;

/**
 * Digests of a sequence's beginnings: of tokens, and of the content and settings of the media that begin among them. Neither can be read
 * from a digest.
 * @param side what else the rows depend on.
 * @param ends how many rows each beginning has, in ascending order; none more than there are.
 */
export function beginningDigests({ tokenIds, media }: Rows, side: string, ends: readonly number[]): string[] {
  const hash = createHash("sha256").update(side);
  const starts = media.map(({ start }) => start);
  let at = 0;
  const take = (end: number): void => {
    hash.update(Uint32Array.from(tokenIds.slice(at, end)));
    at = end;
  };
  let next = 0;
  return ends.map((end) => {
    for (; next < starts.length && starts[next]! < end; next++) {
      take(starts[next]!);
      hash.update(Uint32Array.of(MEDIUM)).update(createHash("sha256").update(media[next]!.key).digest());
    }
    take(end);
    return hash.copy().digest("base64url");
  });
}
