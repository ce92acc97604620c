import type { KeyedLine, Line, Origin, Position } from "../ingest/line.ts";
import { AvroReader, type AvroWriter } from "./avro-binary.ts";

type Content = Omit<Line, "position">;

/**
 * A line whose content is still encoded. The windower moves lines from chunks to the store and to windows, all of which
 * hold the content alike, and seldom looks into it.
 */
class EncodedLine implements KeyedLine {
  readonly position: Position;
  readonly keys: string[];
  readonly time: number;
  /** A character a byte: a buffer would keep its whole chunk in memory. */
  readonly encoded: string;
  /** Told apart from the texts, which are large: an order of lines asks for these again and again. */
  #place: Pick<Content, "origin" | "fileOffset"> | undefined;

  constructor(position: Position, keys: string[], time: number, encoded: string) {
    this.position = position;
    this.keys = keys;
    this.time = time;
    this.encoded = encoded;
  }
  get size(): number {
    return this.encoded.length;
  }
  get origin(): Origin {
    return this.#placed().origin;
  }
  get fileOffset(): number | undefined {
    return this.#placed().fileOffset;
  }
  get text(): string {
    return this.#decoded().text;
  }
  get masked(): string {
    return this.#decoded().masked;
  }

  #placed(): Pick<Content, "origin" | "fileOffset"> {
    if (this.#place === undefined) {
      const { origin, fileOffset } = this.#decoded();
      this.#place = { origin, fileOffset };
    }
    return this.#place;
  }

  #decoded(): Content {
    return readContent(new AvroReader(Buffer.from(this.encoded, "latin1"), 0));
  }
}

/** The line with all of its content decoded. */
export function decodedLine({ position, time, origin, fileOffset, text, masked }: Line): Line {
  const line: Line = { position, time, origin, text, masked };
  if (fileOffset !== undefined) line.fileOffset = fileOffset;
  return line;
}

export function writeKeyedLine(to: AvroWriter, line: KeyedLine): void {
  to.long(line.position.offset);
  to.long(line.position.index);
  writeContent(to, line);
  to.array(line.keys, (key) => to.string(key));
}

/** Its content stays encoded until it is asked for. */
export function readKeyedLine(from: AvroReader, topic: string, partition: number): KeyedLine {
  const position = { topic, partition, offset: from.long(), index: from.long() };
  const [time, encoded] = passContent(from);
  return new EncodedLine(
    position,
    from.array(() => from.string()),
    time,
    encoded,
  );
}

export function writeLine(to: AvroWriter, line: Line): void {
  const { topic, partition, offset, index } = line.position;
  to.string(topic);
  to.long(partition);
  to.long(offset);
  to.long(index);
  writeContent(to, line);
}

export function readLine(from: AvroReader): Line {
  return { position: readPosition(from), ...readContent(from) };
}

/** Its content stays encoded until it is asked for: it weighs what it weighed before it was stored. */
export function readEncodedLine(from: AvroReader): Line {
  const position = readPosition(from);
  const [time, encoded] = passContent(from);
  return new EncodedLine(position, [], time, encoded);
}

function readPosition(from: AvroReader): Position {
  return { topic: from.string(), partition: from.long(), offset: from.long(), index: from.long() };
}

function passContent(from: AvroReader): [time: number, encoded: string] {
  const begin = from.at;
  const time = from.long();
  for (let field = 0; field < 4; field++) if (from.union()) from.skipString();
  if (from.union()) from.long();
  from.skipString();
  from.skipString();
  return [time, from.raw(begin)];
}

function writeContent(to: AvroWriter, line: Line): void {
  if (line instanceof EncodedLine) {
    to.raw(line.encoded);
    return;
  }
  const { time, origin, fileOffset, text, masked } = line;
  to.long(time);
  to.optionalString(origin.host);
  to.optionalString(origin.file);
  to.optionalString(origin.pod);
  to.optionalString(origin.container);
  to.union(fileOffset !== undefined);
  if (fileOffset !== undefined) to.long(fileOffset);
  to.string(text);
  to.string(masked);
}

function readContent(from: AvroReader): Content {
  const time = from.long();
  const origin: Origin = {};
  if (from.union()) origin.host = from.string();
  if (from.union()) origin.file = from.string();
  if (from.union()) origin.pod = from.string();
  if (from.union()) origin.container = from.string();
  const fileOffset = from.union() ? from.long() : undefined;
  const content: Content = { time, origin, text: from.string(), masked: from.string() };
  if (fileOffset !== undefined) content.fileOffset = fileOffset;
  return content;
}
