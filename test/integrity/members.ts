import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import type { Process } from "../support/stream.ts";
import type { Fault } from "./fault.ts";

const roles = ["ingester", "windower", "detector"];
/** Past `limits.sessionTimeout`: its partitions have a new owner when it wakes up. */
const asleepMs = 8_000;

/** Members join and leave; one sleeps until it is thrown out, and comes back as a zombie. */
export const members: Fault = {
  promise: "members come and go",
  async inflict(trial, { quick }) {
    const rounds = quick ? 2 : 15;
    const watch = watchCommits(trial.storm.kafka, trial.hops());
    for (let round = 0; round < rounds; round++) {
      const second: Process[] = await Promise.all(roles.map((role) => trial.storm.start(role)));
      await trial.pause(1_000, 3_000);
      const sleeper = trial.random.pick(second);
      sleeper.child.kill("SIGSTOP");
      await sleep(asleepMs);
      sleeper.child.kill("SIGCONT");
      await trial.pause(1_000, 3_000);
      await trial.storm.end(...second);
    }
    return {
      faults: `${rounds} times a second member of ${roles.join(", ")}; ${rounds} SIGSTOP for ${asleepMs / 1000} s`,
      broken: await watch.end(),
    };
  },
};

/** Looks at the groups' commits all the time; says which went back. */
function watchCommits(
  kafka: Kafka,
  groups: readonly { group: string; topic: string }[],
): { end(): Promise<string[]> } {
  const admin = kafka.admin();
  const highest = new Map<string, number>();
  const rewound = new Set<string>();
  let isOver = false;
  const watching = (async () => {
    await admin.connect();
    while (!isOver) {
      for (const { group, topic } of groups) {
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] }).catch(() => []);
        for (const { partition, offset } of found?.partitions ?? []) {
          const name = `${group} ${topic} ${partition}`;
          if (Number(offset) < (highest.get(name) ?? -1)) rewound.add(`the commit of ${name} went back`);
          highest.set(name, Number(offset));
        }
      }
      await sleep(100);
    }
    await admin.disconnect();
  })();
  return {
    async end() {
      isOver = true;
      await watching;
      return [...rewound];
    },
  };
}
