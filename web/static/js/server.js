// Requests to our own server. A page whose session has ended is told so by a `signed-out` event.
export class Refused extends Error {
  constructor(message = "", code = "") {
    super(message);
    this.code = code;
  }
}

/** Return the JSON of an answer. Throws Refused for any but a 2xx answer, TypeError where there is no network. */
export async function ask(method, path, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": document.body.dataset.csrfToken };
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(20000),
    keepalive: method !== "GET", // a click that leads to another page is still told of
  });
  const signedOut = answer.status === 401 || (answer.redirected && answer.url.includes("/users/login"));
  if (signedOut) document.dispatchEvent(new Event("signed-out"));
  if (signedOut || !answer.ok) throw new Refused(...(await reason(answer)));
  return answer.json();
}

// What the server says of a refusal, in the reader's language, and its code; both "" where it says nothing.
async function reason(answer) {
  const isJson = answer.headers.get("Content-Type")?.includes("json");
  const { message = "", code = "" } = isJson ? await answer.json() : {};
  return [message, code];
}

/** Whether an error means "not now": the network is down, the server is, or it took too long. */
export const isExpected = (error) =>
  error instanceof Refused || error instanceof TypeError || error.name === "TimeoutError";
