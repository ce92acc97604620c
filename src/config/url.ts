/** A URL with its secrets hidden: a password, and the values of a query (`redis://host?password=…`). */
export function withoutSecrets(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.password !== "") url.password = "hidden";
  for (const name of [...url.searchParams.keys()]) url.searchParams.set(name, "hidden");
  return url.href;
}

/** Whether a URL carries a user or a password. */
export function hasCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== "" || password !== "";
}
