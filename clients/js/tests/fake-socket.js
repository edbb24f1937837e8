/** A scripted server in place of the network: the tests decide what it sends and when it fails. */

export class FakeSocket {
  static OPEN = 1;
  /** Every socket that was opened, in order. */
  static opened = [];

  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.bufferedAmount = 0;
    this.sent = [];
    FakeSocket.opened.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  /** Sends messages as the server. */
  say(...messages) {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Opens the connection and authenticates it. */
  admit(role = "manager") {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
    this.say({ type: "auth:success", data: { role } }, { type: "connected", data: { epoch: "e", seq: 9 } });
  }

  /** Answers `subscribe`. */
  subscribed(seq, recovered = true) {
    this.say({ type: "subscribed", data: { epoch: "e", seq, recovered } });
  }

  /** Refuses, or ends, the connection. */
  end(code, error) {
    if (error) this.say({ type: "error", data: { code: error, message: error } });
    this.readyState = 3;
    this.onclose?.({ code, reason: "" });
  }
}

globalThis.WebSocket = FakeSocket;

/** Returns an event. */
export function event(seq) {
  return { type: "order:created", data: {}, restaurant_id: "r1", epoch: "e", seq };
}

/** Returns the socket opened last, once there have been `count`. */
export async function socket(count) {
  while (FakeSocket.opened.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  return FakeSocket.opened.at(-1);
}

/** Lets everything that is due now happen. */
export function settled() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
