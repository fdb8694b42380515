import { DeskhandError } from "../../core/errors.js";
import { withParam } from "../errors.js";
import type { ServerLimits } from "../limits.js";
import { decodeDataUri } from "./data-uri.js";
import { PictureDownloader } from "./download.js";
import { maxBytesOf, type MediaKind } from "./kinds.js";
import type { AddressPolicy } from "./public-address.js";

/** A picture, sound or video of a request, and the field it came from. */
export interface MediaUrl {
  url: string;
  param: string;
  kind: MediaKind;
}

/** Turns the picture, sound and video URLs of one request into bytes, within the limits of one request. */
export class PictureResolver {
  readonly #limits: ServerLimits;
  readonly #downloader: PictureDownloader;

  constructor(limits: ServerLimits, isAllowed: AddressPolicy) {
    this.#limits = limits;
    this.#downloader = new PictureDownloader(limits, isAllowed);
  }

  /** Bytes do not tell how long a sound is: whoever decodes it has to look. */
  get maxSoundSeconds(): number {
    return this.#limits.maxChatSoundSeconds;
  }

  /**
   * The bytes of every picture, in order. A URL given twice is fetched once. Errors name the field: `urls` has, beside each URL,
   * the `param` it came from.
   */
  async resolve(urls: readonly MediaUrl[], signal: AbortSignal): Promise<Uint8Array[]> {
    const { maxPictures, maxBodyBytes, pictureTimeoutMs } = this.#limits;
    const excess = urls[maxPictures];
    if (excess) {
      throw new DeskhandError("invalid_argument", `Expected at most ${maxPictures} pictures in a request but received ${urls.length}. Leave out the oldest.`, { param: excess.param });
    }
    const seen = new Map<string, Uint8Array>();
    const pictures: Uint8Array[] = [];
    let downloadedBytes = 0;
    const deadline = AbortSignal.timeout(pictureTimeoutMs);
    for (const { url, param, kind } of urls) {
      try {
        let picture = seen.get(url);
        if (!picture) {
          const isData = /^data:/i.test(url);
          picture = isData ? decodeDataUri(url, maxBytesOf(kind, this.#limits), kind) : await this.#downloader.download(url, kind, { signal, deadline });
          if (!isData) downloadedBytes += picture.length;
          if (downloadedBytes > maxBodyBytes) {
            throw new DeskhandError("request_too_large", `The pictures of this request are more than ${maxBodyBytes} bytes in all. Send fewer or smaller ones.`);
          }
          seen.set(url, picture);
        }
        pictures.push(picture);
      } catch (error) {
        throw withParam(error, param);
      }
    }
    return pictures;
  }

  close(): Promise<void> {
    return this.#downloader.close();
  }
}
