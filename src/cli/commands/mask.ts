import { readRecords } from "../../ingest/file-source.ts";
import { text } from "../../ingest/formats/text.ts";
import { createMasker, type MaskProfile } from "../../mask/masker.ts";

interface Options {
  profile: MaskProfile;
  lowerCase?: boolean;
  removePunctuation?: boolean;
  collapseWhitespace?: boolean;
}

export async function maskCommand(options: Options): Promise<void> {
  const masker = createMasker(options);
  for await (const records of readRecords("-")) {
    // A blank line decodes to nothing, and stays a line.
    const masked = records.map((record) => masker.mask(text.decode(record)[0]?.text ?? ""));
    if (!process.stdout.write(`${masked.join("\n")}\n`))
      await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
}
