/** Command -> Debian's package. Installs what is missing, or ends the process and says what is. */
export function ensureCommands(wanted: Record<string, string>): void;
