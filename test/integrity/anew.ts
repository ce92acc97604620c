import { setTimeout as sleep } from "node:timers/promises";
import type { Anomaly } from "../../src/verdict/anomaly.ts";
import { until } from "../support/until.ts";
import type { Fault } from "./fault.ts";
import type { Trial } from "./trial.ts";
import { anew, envelope, type Message } from "./workloads.ts";

const { pipeline } = anew;
const [host, file] = ["anew", "/var/log/anew.log"];
const each = 200;
const withinMs = 180_000;
const emptyMs = 6_000;

/** A raw topic is deleted and made anew while it is read. */
export const topicAnew: Fault = {
  promise: "a raw topic may be made anew",
  workload: anew,
  // The undisturbed run knows the later topic alone, in another incarnation; what stood in the former is counted here.
  recuts: (of) => of === pipeline,
  async inflict(trial) {
    const { storm } = trial;
    const topic = trial.topicOf(pipeline);
    const admin = storm.kafka.admin();
    await admin.connect();
    await trial.send(pipeline, messages("former"));
    await until(async () => (await committed(trial, topic)) >= each, "the former topic is read", withinMs);
    await admin.deleteTopics({ topics: [topic] });
    await until(async () => !(await admin.listTopics()).includes(topic), "the topic is deleted");
    await storm.createTopic(topic, 1);
    await admin.disconnect();
    // Filled to its former length between two fetches it would pass unnoticed: docs/operating.md says so.
    await sleep(emptyMs);
    await trial.send(pipeline, messages("later"));

    const counts = await texts(trial);
    const expected = ["former", "later"].flatMap((when) => messages(when).map(({ text }) => text));
    const broken = expected
      .filter((text) => counts.get(text) !== 1)
      .map((text) => `"${text}" stands in ${counts.get(text) ?? 0} windows`);
    if (!storm.logs().includes("A raw topic was made anew")) broken.push("nobody says that it was made anew");
    return { faults: `a topic of ${each} records deleted and made anew while it is read`, broken };
  },
};

function messages(when: string): (Message & { text: string })[] {
  return Array.from({ length: each }, (_, place) => {
    const text = `${when} record ${place}`;
    return { text, partition: 0, value: envelope(host, file, place, text) };
  });
}

/** How many windows each line stands in; waits until the last window is judged. */
async function texts({ storm }: Trial): Promise<Map<string, number>> {
  const linesOf = ({ key, value }: { key: Buffer | null; value: Buffer | null }) => {
    if (String(key) !== `${host}:${file}`) return [];
    const { logguardian } = JSON.parse(String(value)) as Anomaly;
    return logguardian.pipeline === pipeline ? logguardian.lines.map(({ text }) => text) : [];
  };
  const topic = `${storm.prefix}.anomalies`;
  const isLast = `later record ${each - 1}`;
  const read = await storm.read(topic, (all) => all.some((one) => linesOf(one).includes(isLast)), withinMs);
  const ids = new Set<string>();
  const counts = new Map<string, number>();
  for (const message of read) {
    const id = String(message.headers?.["lg-id"]);
    // What was sent twice counts once.
    if (ids.has(id)) continue;
    ids.add(id);
    for (const text of linesOf(message)) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

async function committed({ storm }: Trial, topic: string): Promise<number> {
  const admin = storm.kafka.admin();
  await admin.connect();
  const [found] = await admin.fetchOffsets({
    groupId: `${storm.prefix}.${pipeline}.ingester`,
    topics: [topic],
  });
  await admin.disconnect();
  return Number(found?.partitions[0]?.offset);
}
