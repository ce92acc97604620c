import { setTimeout as sleep } from "node:timers/promises";
import type { Suppressions } from "../../alert/suppression.ts";
import { decodeFeedback } from "../../codec/feedback.ts";
import { LogGuardianError } from "../../errors.ts";
import type { Assignment } from "../../kafka/consumer.ts";
import type { PartitionWorker } from "../../kafka/partition-worker.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { type Bury, decodeOwn } from "../services.ts";

/** Alerts do not wait longer for what people said of them before. */
const patienceMs = 30_000;
const lookEveryMs = 100;

/** What people say of verdicts, from its topic to the suppressions of one pipeline. */
export function createFeedbackReader(
  deps: { suppressions: Suppressions; bury: Bury; logger: Logger },
  options: { pipeline: string; partitions: number; onChange: () => Promise<void> },
) {
  const { suppressions, bury, logger } = deps;
  const closing = new AbortController();
  let isLate = false;

  async function worker({ partition, log }: Assignment): Promise<PartitionWorker> {
    // Not what the group has committed: Redis may have lost what was read.
    let position = await suppressions.begin(partition, log);
    await suppressions.isAt(partition, position, position >= log.end);
    return {
      position,
      async process(records) {
        const read = await decodeOwn(records, decodeFeedback, bury);
        const ours = read.flatMap(({ message }) => (message?.pipeline === options.pipeline ? [message] : []));
        const to = (records.at(-1)?.offset ?? position - 1) + 1;
        const isOurs = await suppressions.apply(
          { partition, from: position, to, feedback: ours },
          Date.now(),
        );
        if (!isOurs) throw fenced(partition);
        position = to;
        if (ours.length > 0) await options.onChange();
      },
      async tick({ position: at, end }) {
        if (await suppressions.isAt(partition, position, at >= end)) return;
        // Redis has lost it: from its start, unless that is here.
        if ((await suppressions.begin(partition, { ...log, end })) !== position) throw fenced(partition);
      },
      commitPoint: () => ({ offset: position, metadata: "" }),
    };
  }

  return {
    worker,
    /**
     * Resolves when all that was said is known, which may be again after Redis lost it; or when that takes too long.
     * @throws where it was closed: nobody reads on.
     */
    async read(): Promise<void> {
      for (const deadline = Date.now() + patienceMs; !(await suppressions.isRead(options.partitions)); ) {
        if (isLate) return;
        if (Date.now() > deadline) {
          isLate = true;
          logger.warn("Feedback is not read yet; what it suppresses may alert.", {
            pipeline: options.pipeline,
          });
          return;
        }
        await sleep(lookEveryMs, undefined, { signal: closing.signal });
      }
      isLate = false;
    },
    close: () => closing.abort(),
  };
}

function fenced(partition: number): LogGuardianError {
  return new LogGuardianError(
    "LG_FEEDBACK_FENCED",
    `Partition ${partition} of the feedback topic was not read to where this alerter read it: another one has it, or Redis lost it.`,
    "Nothing: it is read on from what is durable.",
  );
}
