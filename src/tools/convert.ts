import { Command, Option } from "commander";
import type { ConvertOptions } from "../index.js";
import { wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";

interface ConvertFlags {
  model: string;
  out: string;
  quantize?: number | true;
  groupSize?: number;
  mode?: NonNullable<ConvertOptions["quantize"]>["mode"];
  mixed?: ConvertOptions["mixed"];
  quantizeVision?: boolean;
  dequantize?: boolean;
  dtype?: ConvertOptions["dtype"];
}

/** `deskhand convert`: writes a model in MLX's layout, plain or quantised, and prints the folder. */
export function convertCommand(): Command {
  return new Command("convert")
    .description("write a model in the layout of MLX's tools, plain or quantised")
    .requiredOption("--model <model>", "model: alias, folder or Hugging Face id")
    .requiredOption("--out <folder>", "the folder to make; it must not exist")
    .option("--quantize [bits]", "quantise the language model: 2, 3, 4, 5, 6 or 8 bits a weight (default: 4, or what the mode prescribes)", wholeNumber(1))
    .option("--group-size <n>", "weights that share a scale: 32, 64 or 128 (default: 64, or what the mode prescribes)", wholeNumber(1))
    .addOption(new Option("--mode <mode>", "how weights are quantised (default: affine)").choices(["affine", "mxfp4", "nvfp4", "mxfp8"]))
    .addOption(new Option("--mixed <recipe>", "quantise with more bits for the layers that matter most").choices(["mixed_2_6", "mixed_3_4", "mixed_3_5", "mixed_3_6", "mixed_3_8", "mixed_4_6", "mixed_4_8"]))
    .option("--quantize-vision", "quantise vision and audio towers too")
    .option("--dequantize", "make quantised weights plain again")
    .addOption(new Option("--dtype <type>", "type of floating-point weights (default: as they are stored)").choices(["float32", "float16", "bfloat16"]))
    .action(runConvert);
}

async function runConvert(flags: ConvertFlags, command: Command): Promise<void> {
  const { model, out, quantize, groupSize, mode, mixed, quantizeVision, dequantize, dtype } = flags;
  if (quantize === undefined && mixed === undefined && (groupSize !== undefined || mode !== undefined)) command.error("error: --group-size and --mode go with --quantize or --mixed", { exitCode: 2 });
  using interrupt = abortOnSignals();
  const { convert } = await import("../index.js");
  const made = await convert(model, {
    out,
    quantize: quantize === undefined && groupSize === undefined && mode === undefined ? undefined : { bits: quantize === true ? undefined : quantize, groupSize, mode },
    mixed,
    quantizeTowers: quantizeVision,
    dequantize,
    dtype,
    signal: interrupt.signal,
    onProgress: progressPrinter(),
  });
  process.stdout.write(`${made}\n`);
}
