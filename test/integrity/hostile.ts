import { gzipSync } from "node:zlib";
import type { KafkaMessage } from "kafkajs";
import { createFormat } from "../../src/ingest/formats/index.ts";
import type { Random } from "../../src/simulate/random.ts";
import { rawRecord } from "../support/raw-record.ts";
import type { Stream } from "../support/stream.ts";
import type { Fault } from "./fault.ts";
import { envelope, type Message } from "./workloads.ts";

/** Sent at once: with lines of 100 kB among them no more than the broker takes. */
const batch = 8;

/** Records that nobody should send, between good ones: each ends in a window or in the dead letters. */
export const hostile: Fault = {
  promise: "hostile records harm nobody",
  // Lines of 1970 come after their session, and each batch of them opens one: which, is a matter of their arrival.
  recuts: (_, key) => key.startsWith("hostile:"),
  async inflict(trial, { quick }) {
    const count = quick ? 1_000 : 10_000;
    let refused = 0;
    for (let done = 0; done < count; done += batch) {
      const pipeline = done % (2 * batch) === 0 ? "sessions" : "sliding";
      const messages = Array.from(
        { length: batch },
        (): Message => ({ value: hostileValue(trial.random), partition: 0 }),
      );
      await trial.send(pipeline, messages);
      refused += messages.filter(({ value }) => isRefused(value)).length;
      await trial.pause(40, 120);
    }
    const letters = await deadLetters(trial.storm, refused);
    return {
      faults: `${count} hostile records among good ones, ${refused} of them for the dead letters`,
      broken:
        letters === refused
          ? []
          : [`${refused} records belong into the dead letters, and ${letters} are there`],
    };
  },
};

/** How many records went to the dead letters, each counted once; waits for `expected`. */
async function deadLetters(stream: Stream, expected: number): Promise<number> {
  const distinct = (letters: readonly KafkaMessage[]) =>
    new Set(
      letters.map(({ headers }) =>
        ["topic", "partition", "offset"].map((name) => String(headers?.[`lg-${name}`])).join(" "),
      ),
    ).size;
  const topic = `${stream.prefix}.dead-letters`;
  return distinct(await stream.read(topic, (letters) => distinct(letters) >= expected, 120_000));
}

const format = createFormat("filebeat");

/** The records' own decoder says what is none; that each of these is found again is what is tried here. */
function isRefused(value: Message["value"]): boolean {
  try {
    format.decode(rawRecord(value));
    return false;
  } catch {
    return true;
  }
}

function hostileValue(random: Random): Buffer | string | null {
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random.below(256)));
  const line = (message: string, more: object = {}) =>
    JSON.stringify({
      ...JSON.parse(envelope("hostile", "/var/log/hostile.log", random.below(1e9), message)),
      ...more,
    });
  const kinds: (() => Buffer | string | null)[] = [
    () => bytes(random.below(4_000)),
    () => line("cut off").slice(0, random.below(150)),
    () => `{"message":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
    () => gzipSync(Buffer.alloc(2_000_000)),
    () => line("x".repeat(100_000)),
    () => line("a".repeat(50) + " 1".repeat(4_000)),
    () => Buffer.concat([Buffer.from('{"message":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"}')]),
    () => "",
    () => null,
    () => line("long ago", { "@timestamp": "1970-01-01T00:00:00.000Z" }),
    () => line("far away", { "@timestamp": "2100-01-01T00:00:00.000Z" }),
    () => line("no time", { "@timestamp": { $date: -1e300 } }),
    () => line("<*> <NUM> blk_ blk_-999999999999999999999999 /../../ 999.999.999.999:99999 0x"),
    () => line("\u0000\u202e\ud800 [cut] \n\r\n\u2028"),
    () => line("__proto__", { __proto__x: 1, constructor: { prototype: {} } }),
    () => Buffer.from([0, 0, 0, 0, 99, ...bytes(40)]),
    () => "[]",
    () => '"a text"',
  ];
  return random.pick(kinds)();
}
