import { DEFAULT_MODEL_LIMITS, type ModelLimits } from "../engine/limits.js";

/** What one request, and all of them together, may cost; `maxMemoryBytes` and `prefixCacheDiskBytes` are for all models. */
export interface ServerLimits extends ModelLimits {
  /** Requests that may wait beside those; beyond it 429. */
  maxWaiting: number;
  /** Request body, and all pictures downloaded for one request. */
  maxBodyBytes: number;
  /** One picture, encoded. */
  maxPictureBytes: number;
  /** One sound or video, encoded. */
  maxMediaBytes: number;
  /** Pictures, sounds and videos together. */
  maxPictures: number;
  /** One sound to write down: what a small compressed file holds may be very long. */
  maxSoundSeconds: number;
  /** All sounds of a conversation together: they are in memory at once, and prompts hold less. */
  maxChatSoundSeconds: number;
  /** All picture downloads of one request. */
  pictureTimeoutMs: number;
  maxRedirects: number;
  /** A client that takes nothing from its stream for this long is let go: it holds up everyone else. */
  stallTimeoutMs: number;
  /** A model that nobody has used for this long is let go; 0 is never. */
  idleTimeoutMs: number;
  /** How long a request waits for its model to be loaded. */
  loadTimeoutMs: number;
  /** Responses of `/v1/responses` that are remembered; the oldest are forgotten. */
  maxStoredResponses: number;
  /** Those and what was said before them, pictures included. */
  maxStoredBytes: number;
  /** How long a request may take from its first byte to the end of its answer. */
  requestTimeoutMs: number;
  /** How long a client may take to send its request. */
  receiveTimeoutMs: number;
  maxConnections: number;
  /** All headers of a request. */
  maxHeaderBytes: number;
  /** How long `close` lets running requests finish. */
  drainTimeoutMs: number;
}

export const DEFAULT_LIMITS: Readonly<ServerLimits> = {
  ...DEFAULT_MODEL_LIMITS,
  maxWaiting: 16,
  maxBodyBytes: 64 * 2 ** 20,
  maxPictureBytes: 20 * 2 ** 20,
  maxMediaBytes: 64 * 2 ** 20,
  maxPictures: 64,
  maxSoundSeconds: 4 * 3600,
  maxChatSoundSeconds: 3600,
  pictureTimeoutMs: 20_000,
  maxRedirects: 3,
  stallTimeoutMs: 30_000,
  idleTimeoutMs: 0,
  loadTimeoutMs: 120_000,
  maxStoredResponses: 512,
  maxStoredBytes: 256 * 2 ** 20,
  requestTimeoutMs: 3_600_000,
  receiveTimeoutMs: 300_000,
  maxConnections: 512,
  maxHeaderBytes: 16 * 2 ** 10,
  drainTimeoutMs: 5_000,
};
