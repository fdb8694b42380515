/** What one request, and all of them together, may cost. */
export interface ServerLimits {
  /** Requests that may wait while one generates; beyond it 429. */
  maxWaiting: number;
  /** Request body, and all pictures downloaded for one request. */
  maxBodyBytes: number;
  /** One picture, encoded. */
  maxPictureBytes: number;
  maxPictures: number;
  /** All picture downloads of one request. */
  pictureTimeoutMs: number;
  maxRedirects: number;
  /** A client that takes nothing from its stream for this long is let go: it holds up everyone else. */
  stallTimeoutMs: number;
  /** How long `close` lets running generations finish. */
  graceMs: number;
}

export const DEFAULT_LIMITS: Readonly<ServerLimits> = {
  maxWaiting: 16,
  maxBodyBytes: 64 * 2 ** 20,
  maxPictureBytes: 20 * 2 ** 20,
  maxPictures: 64,
  pictureTimeoutMs: 20_000,
  maxRedirects: 3,
  stallTimeoutMs: 30_000,
  graceMs: 3_000,
};
