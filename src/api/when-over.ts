import { finished } from "node:stream";
import type { FastifyReply } from "fastify";

/** Once the answer is sent, or nobody waits for it any more: at once where that is so already. */
export function whenOver({ raw }: FastifyReply, end: () => void): void {
  finished(raw, () => end());
}
