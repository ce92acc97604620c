import type { LinesMessage } from "../ingest/lines-message.ts";
import type { AvroReader, AvroWriter } from "./avro-binary.ts";
import { readKeyedLine, writeKeyedLine } from "./line.ts";
import { createCodec } from "./single-object.ts";

const codec = createCodec<LinesMessage>(["lines.v1.avsc"], { write, read });

export function encodeLines(message: LinesMessage): Buffer {
  return codec.encode(message);
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeLines(bytes: Buffer): LinesMessage {
  return codec.decode(bytes);
}

function write(message: LinesMessage, to: AvroWriter): void {
  to.union(message.kind === "chunk");
  if (message.kind === "chunk") {
    const { source, topics, through, streamTime, maskHash, lines } = message;
    to.string(source.topic);
    to.string(source.incarnation);
    to.long(source.partition);
    to.array(topics, ({ topic, partitions }) => {
      to.string(topic);
      to.long(partitions);
    });
    to.long(through.offset);
    to.long(through.index);
    to.long(streamTime);
    to.string(maskHash);
    to.array(lines, (line) => writeKeyedLine(to, line));
  }
  to.union(message.kind === "flush");
  if (message.kind === "flush") to.string(message.label);
}

function read(from: AvroReader): LinesMessage {
  if (!from.union()) return { kind: "flush", label: from.optionalString() ?? "" };
  const source = { topic: from.string(), incarnation: from.string(), partition: from.long() };
  const { topic, partition } = source;
  const chunk: LinesMessage = {
    kind: "chunk",
    source,
    topics: from.array(() => ({ topic: from.string(), partitions: from.long() })),
    through: { offset: from.long(), index: from.long() },
    streamTime: from.long(),
    maskHash: from.string(),
    lines: from.array(() => readKeyedLine(from, topic, partition)),
  };
  // No flush beside it.
  from.optionalString();
  return chunk;
}
