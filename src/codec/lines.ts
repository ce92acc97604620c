import type { KeyedLine, Line, Origin, Position } from "../ingest/line.ts";
import type { LinesChunk, LinesMessage } from "../ingest/lines-message.ts";
import { createCodec } from "./single-object.ts";

export interface WireOrigin {
  host: string | null;
  file: string | null;
  pod: string | null;
  container: string | null;
}

/** A line without its place. */
interface WireContent {
  time: number;
  origin: WireOrigin;
  fileOffset: number | null;
  text: string;
  masked: string;
}

export type WireLine = WireContent & { position: Position };

interface WireLines {
  chunk:
    | (Omit<LinesChunk, "kind" | "through" | "lines"> & {
        throughOffset: number;
        throughIndex: number;
        lines: (WireContent & { offset: number; index: number; keys: string[] })[];
      })
    | null;
  flush: { label: string } | null;
}

const codec = createCodec<WireLines>(["lines.v1.avsc"]);

export function encodeLines(message: LinesMessage): Buffer {
  if (message.kind === "flush") return codec.encode({ chunk: null, flush: { label: message.label } });
  const { through, lines, ...chunk } = message;
  return codec.encode({
    chunk: {
      ...chunk,
      throughOffset: through.offset,
      throughIndex: through.index,
      lines: lines.map((line) => ({
        ...contentOf(line),
        offset: line.position.offset,
        index: line.position.index,
        keys: line.keys,
      })),
    },
    flush: null,
  });
}

/** @throws LogGuardianError LG_MESSAGE_SCHEMA, LG_MESSAGE_DAMAGED. */
export function decodeLines(bytes: Buffer): LinesMessage {
  const { chunk, flush } = codec.decode(bytes);
  if (chunk === null) return { kind: "flush", label: flush?.label ?? "" };
  const { throughOffset, throughIndex, lines, source, topics, streamTime, maskHash } = chunk;
  const { topic, partition, incarnation } = source;
  return {
    kind: "chunk",
    source: { topic, incarnation, partition },
    topics: topics.map(({ topic, partitions }) => ({ topic, partitions })),
    streamTime,
    maskHash,
    through: { offset: throughOffset, index: throughIndex },
    lines: lines.map(({ offset, index, keys, ...content }): KeyedLine => {
      const position = { topic, partition, offset, index };
      return { ...lineOf({ ...content, position }), keys };
    }),
  };
}

export function contentOf({ time, origin, fileOffset, text, masked }: Line): WireContent {
  const { host = null, file = null, pod = null, container = null } = origin;
  return { time, origin: { host, file, pod, container }, fileOffset: fileOffset ?? null, text, masked };
}

export function wireLineOf(line: Line): WireLine {
  return { position: line.position, ...contentOf(line) };
}

export function lineOf({ position, time, origin, fileOffset, text, masked }: WireLine): Line {
  const { topic, partition, offset, index } = position;
  const line: Line = {
    position: { topic, partition, offset, index },
    time,
    origin: originOf(origin),
    text,
    masked,
  };
  if (fileOffset !== null) line.fileOffset = fileOffset;
  return line;
}

function originOf(wire: WireOrigin): Origin {
  const origin: Origin = {};
  if (wire.host !== null) origin.host = wire.host;
  if (wire.file !== null) origin.file = wire.file;
  if (wire.pod !== null) origin.pod = wire.pod;
  if (wire.container !== null) origin.container = wire.container;
  return origin;
}
