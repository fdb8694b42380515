import type { DecodedImage } from "../image/decode.js";
import type { ChatMessage, ContentPart, VideoPart } from "../messages.js";

/** Messages with every video replaced by its frames as pictures, in its place: for models, or templates, that know no videos. */
export async function videosAsPictures(messages: readonly ChatMessage[], framesOf: (video: VideoPart) => Promise<readonly DecodedImage[]>): Promise<ChatMessage[]> {
  const replaced: ChatMessage[] = [];
  for (const message of messages) {
    if (typeof message.content === "string") {
      replaced.push(message);
      continue;
    }
    const content: ContentPart[] = [];
    for (const part of message.content) {
      if (part.type === "video") for (const image of await framesOf(part)) content.push({ type: "image", image });
      else content.push(part);
    }
    replaced.push({ ...message, content });
  }
  return replaced;
}
