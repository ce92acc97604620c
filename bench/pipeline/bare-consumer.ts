// The reference: a bare kafkajs consumer that parses the same records. Prints its CPU-seconds as JSON.
import kafkajs from "kafkajs";

const [broker = "", topic = "", expected = "0"] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: `bare-${Date.now()}`, maxBytesPerPartition: 512 * 1024 });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
let [read, characters] = [0, 0];
let begun: { cpu: NodeJS.CpuUsage; at: number } | undefined;
await consumer.run({
  autoCommit: false,
  async eachBatch({ batch }) {
    begun ??= { cpu: process.cpuUsage(), at: performance.now() };
    for (const { value } of batch.messages) characters += JSON.parse(String(value)).message.length;
    read += batch.messages.length;
    if (read < Number(expected)) return;
    const { user, system } = process.cpuUsage(begun.cpu);
    const seconds = (performance.now() - begun.at) / 1000;
    console.log(JSON.stringify({ lines: read, characters, seconds, cpuSeconds: (user + system) / 1e6 }));
    process.exit(0);
  },
});
