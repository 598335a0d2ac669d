// The service from a page: its routes, tickets, and how long to wait before it is asked again.

const SHORTEST_S = 0.3;
const LONGEST_S = 2.5; // so that a trace goes on within 10 s of a restart
const PATIENCE_MS = 5000;

export class Service {
  constructor(url) {
    this.url = url.replace(/\/$/, "");
  }

  get(path) {
    return this._ask("GET", path).then((answer) => answer.json());
  }

  bytes(path) {
    return this._ask("GET", path).then((answer) => answer.arrayBuffer());
  }

  async post(path, body) {
    const answer = await this._ask("POST", path, body);
    return answer.status === 204 ? null : answer.json();
  }

  /** A socket of a stream, opened with a ticket of its own: each is good once. */
  async socket(stream) {
    const { ticket } = await this.post("/v1/tickets");
    const address = this.url.replace(/^http/, "ws") + `/v1/streams/${encodeURIComponent(stream)}`;
    const socket = new WebSocket(address, [`ectopy.ticket.${ticket}`]);
    socket.binaryType = "arraybuffer";
    return socket;
  }

  events() {
    return new EventSource(`${this.url}/v1/events`);
  }

  async _ask(method, path, body) {
    const said =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    let answer;
    try {
      answer = await fetch(this.url + path, { method, ...said, signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch (error) {
      throw Object.assign(new Error("no service there"), { away: true, cause: error });
    }
    if (answer.ok) return answer;
    const { reason } = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(reason ?? `the service answered ${answer.status}`), { away: answer.status >= 500 });
  }
}

export function sleep(seconds) {
  return new Promise((done) => setTimeout(done, seconds * 1000));
}

/** Waits that grow, each a little at random: not all viewers come back at once. */
export function* delays() {
  for (let wait = SHORTEST_S; ; wait = Math.min(wait * 1.7, LONGEST_S)) yield wait * (0.8 + 0.4 * Math.random());
}
