// Asks the embedded model about a picture, whole and piece by piece: npx tsx examples/library.ts [PICTURE] [QUESTION]
import { load } from "deskhand";

const [picture = "test/golden/fixtures/embedded/screens/zenity-filled.png", question = "Click the OK button"] = process.argv.slice(2);

await using model = await load("tiny");

const answer = await model.answerAboutImage(picture, question);
console.log(answer.text);
console.log(`${answer.promptTokens} tokens in, ${answer.completionTokens} out, ${Math.round(answer.timings.prefillMs)} ms to the first`);

for await (const { text } of model.streamGenerate(question, { images: [picture], maxTokens: 64, signal: AbortSignal.timeout(60_000) })) process.stdout.write(text);
process.stdout.write("\n");
