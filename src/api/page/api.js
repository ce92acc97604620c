/** The API that serves this page. A token, where it asks for one, is kept in this tab alone. */

const tokenName = "logguardian.token";

/** An answer that is no success, or none at all. */
export class Refusal extends Error {
  /** @param {string} what @param {number} status 0: nobody answered. @param {string} [code] */
  constructor(what, status, code) {
    super(what);
    this.status = status;
    this.code = code;
  }
}

/** @param {{ askForToken: (why: string) => Promise<string> }} deps */
export function createApi({ askForToken }) {
  let token = sessionStorage.getItem(tokenName) ?? "";
  /** @type {Promise<void> | undefined} */
  let asking;

  /** @param {string} path @param {RequestInit & { headers?: Record<string, string> }} [options] @returns {Promise<Response>} */
  async function open(path, options = {}) {
    const sent = token;
    const headers = { ...options.headers, ...(sent === "" ? {} : { authorization: `Bearer ${sent}` }) };
    let response;
    try {
      response = await fetch(path, { ...options, headers });
    } catch (thrown) {
      if (options.signal?.aborted) throw thrown;
      throw new Refusal("LogGuardian does not answer. Is its process running?", 0);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    if (response.status !== 401)
      throw new Refusal(problem.detail ?? `It answered ${response.status}.`, response.status, problem.code);
    if (sent === token) {
      asking ??= askForToken(sent === "" ? "" : "This token is not known.").then((given) => {
        token = given;
        asking = undefined;
        sessionStorage.setItem(tokenName, given);
      });
      await asking;
    }
    return open(path, options);
  }

  return {
    open,
    /** @param {string} path @param {{ signal?: AbortSignal }} [options] @returns {Promise<any>} */
    async get(path, options) {
      return (await open(path, options)).json();
    },
    /** @param {string} path @param {unknown} body @returns {Promise<any>} */
    async post(path, body) {
      const headers = { "content-type": "application/json" };
      return (await open(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
    },
    hasToken: () => token !== "",
    forgetToken() {
      token = "";
      sessionStorage.removeItem(tokenName);
    },
  };
}
