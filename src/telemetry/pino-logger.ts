import { type LevelWithSilent, type Logger as PinoLogger, pino } from "pino";
import type { Logger } from "./logger.ts";

/** JSON lines on standard error: standard output belongs to results. Errors carry their stable code. */
export function createPinoLogger(level: LevelWithSilent): Logger {
  const root = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorFields },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return wrap(root);
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
    child: (fields) => wrap(logger.child(fields)),
  };
}

function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: string };
  return { message: error.message, ...(code === undefined ? {} : { code }), stack: error.stack };
}
