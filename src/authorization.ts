/** What an HTTP service is told of who asks: a bearer token, else a name and a password, else nothing. */
export function authorizationOf(account: {
  username?: string | undefined;
  password?: string | undefined;
  bearerToken?: string | undefined;
}): { authorization?: string } {
  const { username, password = "", bearerToken } = account;
  if (bearerToken !== undefined) return { authorization: `Bearer ${bearerToken}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}
