import { readRecords } from "../../src/ingest/file-source.ts";
import { createRandom } from "../../src/simulate/random.ts";
import { dataFile } from "../../test/support/data.ts";

export interface Message {
  partition: number;
  value: string;
}

export const rawPartitions = 4;

/**
 * Filebeat's JSON of about 950 bytes around BGL's lines, of `keys` hosts; each host stays on one partition. The hosts
 * speak in turn, or, where the lines are `live`, at random (else all their windows would close at once), and are stamped
 * when they are made.
 */
export async function* filebeatRecords(
  lines: number,
  keys: number,
  { at = 1000, live = false } = {},
): AsyncGenerator<Message[]> {
  const texts = await textsOf("bgl/BGL_2k.log");
  const random = createRandom(1);
  let batch: Message[] = [];
  for (let line = 0; line < lines; line++) {
    const host = live ? random.below(keys) : line % keys;
    // Each host goes through the sample from a place of its own.
    const text = texts[(Math.floor(line / keys) + host) % texts.length] ?? "";
    const stamp = live ? new Date().toISOString() : "2026-11-22T09:01:25.284Z";
    batch.push({ partition: host % rawPartitions, value: envelope(`node-${host}`, line, text, stamp) });
    if (batch.length < at) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** As Filebeat 8 writes it in Kubernetes. */
function envelope(host: string, offset: number, message: string, stamp: string): string {
  return JSON.stringify({
    "@timestamp": stamp,
    "@metadata": { beat: "filebeat", type: "_doc", version: "8.15.0" },
    message,
    log: { file: { path: "/var/log/bgl.log", device_id: "2050", inode: "1311241" }, offset },
    input: { type: "filestream" },
    ecs: { version: "8.0.0" },
    host: {
      name: host,
      architecture: "x86_64",
      os: { platform: "debian", version: "12", kernel: "6.1.0-25-amd64" },
    },
    agent: {
      ephemeral_id: "65b2913d-ee7d-4079-8848-1669264fc00f",
      id: "847fdd94-da6c-4aae-8e8a-ff0b4d46addc",
      name: host,
      type: "filebeat",
      version: "8.15.0",
    },
    cloud: {
      provider: "openstack",
      region: "eu-1",
      availability_zone: "eu-1b",
      machine: { type: "m5.large" },
    },
    tags: ["production", "cluster-7"],
    fields: { team: "storage", environment: "production", datacenter: "fra-2" },
  });
}

async function textsOf(file: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const records of readRecords(dataFile(file)))
    for (const { value } of records) texts.push(value?.toString("latin1") ?? "");
  return texts;
}
