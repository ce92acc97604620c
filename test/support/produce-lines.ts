import { text } from "node:stream/consumers";
import { Kafka, logLevel } from "kafkajs";
import { createTopic } from "./create-topic.ts";

// As `kcat -P -b <brokers> -t <topic>`: each line of standard input is a record.
const [brokers = "", topic = ""] = process.argv.slice(2);
const kafka = new Kafka({ brokers: brokers.split(","), logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await createTopic(admin, topic);
await admin.disconnect();
const producer = kafka.producer();
await producer.connect();
const lines = (await text(process.stdin)).trimEnd().split("\n");
await producer.send({ topic, messages: lines.map((value) => ({ value })) });
await producer.disconnect();
