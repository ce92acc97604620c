/** The API that serves this page. A token, where it asks for one, is kept in this tab alone. */

const tokenName = "logguardian.token";
const answerWithinMs = 20_000;

/** An answer that is no success, or none at all. */
export class Refusal extends Error {
  /** @param {string} what @param {number} status 0: nobody answered. @param {string} [code] */
  constructor(what, status, code) {
    super(what);
    this.status = status;
    this.code = code;
  }
}

/** Too much at once, or what it needs is away: another try may do. @param {unknown} thrown */
export function isPassing(thrown) {
  return thrown instanceof Refusal && (thrown.status === 429 || thrown.status === 503);
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
      // The API answers within five seconds. What is said after waits for it.
      const signal = AbortSignal.timeout(answerWithinMs);
      return (await open(path, { method: "POST", headers, body: JSON.stringify(body), signal })).json();
    },
    hasToken: () => token !== "",
    forgetToken() {
      token = "";
      sessionStorage.removeItem(tokenName);
    },
  };
}
