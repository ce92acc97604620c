import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Judgement } from "../../classify/judgement.ts";
import { LogGuardianError } from "../../errors.ts";
import type { ShadowModel } from "../../verdict/shadow.ts";
import type { Answer, JudgeMessage, OpenMessage, Request } from "./protocol.ts";

/** The model that is to take over, in a process of its own: whatever becomes of it, this one goes on. */
export interface NextModel {
  /**
   * Opens it where it is not. One call at a time.
   * @throws LogGuardianError LG_NEXT_MODEL where it cannot be had for now, and what opening it throws.
   */
  judge(windows: JudgeMessage["windows"]): Promise<{ judgements: Judgement[]; model: ShadowModel }>;
  /** Milliseconds until it is tried again; 0 where it is there or has not been tried. */
  awayForMs(): number;
  close(): void;
}

const program = new URL(`./model-process${extname(import.meta.url)}`, import.meta.url);
const firstPauseMs = 10_000;
const longestPauseMs = 600_000;

/** @param options.answerWithinMs of one question; a process that needs longer is ended. */
export function createNextModel(
  open: Omit<OpenMessage, "kind">,
  options: { openWithinMs: number; answerWithinMs: number },
): NextModel {
  let running: { child: ChildProcess; model: ShadowModel } | undefined;
  let opening: ChildProcess | undefined;
  let triedAgainAt = 0;
  let pauseMs = firstPauseMs;
  let isClosed = false;

  async function opened(): Promise<{ child: ChildProcess; model: ShadowModel }> {
    if (running !== undefined) return running;
    // Its own words go where this process' go; nothing of it reaches standard output.
    const child = fork(fileURLToPath(program), {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    opening = child;
    // Who asks it hears of it; between two questions nobody does.
    child.on("error", () => undefined);
    const answer = await ask(child, { kind: "open", ...open }, options.openWithinMs);
    if (answer.kind !== "opened") throw refusal("It did not say that it is open");
    running = { child, model: answer.model };
    return running;
  }

  function away(): void {
    (running?.child ?? opening)?.kill("SIGKILL");
    running = undefined;
    opening = undefined;
    triedAgainAt = Date.now() + pauseMs;
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }

  return {
    awayForMs: () => Math.max(0, triedAgainAt - Date.now()),
    async judge(windows) {
      try {
        if (isClosed) throw refusal("It was ended");
        const { child, model } = await opened();
        const answer = await ask(child, { kind: "judge", windows }, options.answerWithinMs);
        if (answer.kind !== "judged") throw refusal("It did not answer with judgements");
        pauseMs = firstPauseMs;
        return { judgements: answer.judgements, model };
      } catch (thrown) {
        away();
        throw thrown;
      }
    },
    close() {
      isClosed = true;
      away();
    },
  };
}

/** @throws LogGuardianError what the process refuses with, or LG_NEXT_MODEL where it ends or is silent. */
async function ask(child: ChildProcess, request: Request, withinMs: number): Promise<Answer> {
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(withinMs)]);
  try {
    const answered = once(child, "message", { signal });
    const gone = once(child, "exit", { signal }).then(([code, by]) => {
      throw refusal(`Its process ended, with ${by ?? code}`);
    });
    // One that has gone already has no channel.
    child.send(request, (problem) => problem !== null && ended.abort());
    const [answer] = (await Promise.race([answered, gone])) as [Answer];
    if (answer.kind !== "refused") return answer;
    throw new LogGuardianError(answer.code, answer.message, answer.remedy);
  } catch (thrown) {
    if (thrown instanceof LogGuardianError) throw thrown;
    throw refusal(
      ended.signal.aborted ? "Its process is gone" : `It did not answer within ${withinMs / 1000} s`,
    );
  } finally {
    ended.abort();
  }
}

function refusal(what: string): LogGuardianError {
  return new LogGuardianError(
    "LG_NEXT_MODEL",
    `The next bundle's model cannot be asked: ${what}.`,
    "Live verdicts do not depend on it. `logguardian model verify` tries the bundle.",
  );
}
