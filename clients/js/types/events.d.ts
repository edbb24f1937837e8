/** A place in a restaurant's history: everything up to `seq` of `epoch` has been received. */
export interface Position {
  epoch: string;
  seq: number;
}

/** An event. `epoch` and `seq` are missing on a live partial transcript, which has no place in history. */
export interface OrderEvent<Data = Record<string, unknown>> {
  type: string;
  data: Data;
  timestamp: string;
  restaurant_id: string;
  event_id?: string;
  epoch?: string;
  seq?: number;
}

/** Who the server says we are. `expires_at` is when the token expires. */
export interface Who {
  user_id: string;
  restaurant_id: string;
  role: string;
  expires_at: string;
}

/** What to subscribe to: names or patterns, filters, and for how many ms events may be held back. */
export interface Wish {
  events: readonly string[];
  filters?: Partial<
    Record<"table_id" | "order_id" | "session_id" | "lane" | "status", string | readonly string[]>
  >;
  batch_ms?: number;
}

/** A token, or a function that returns a fresh one each time; null signs out. */
export type TokenSource = string | (() => string | null | Promise<string | null>);

/** `until`: when the next attempt comes (ms since 1970); `serverTime`: the server's clock at that moment. */
export interface LinkState {
  name: "connecting" | "online" | "waiting" | "closed";
  until?: number;
  why?: string;
  serverTime?: number;
}

/** The server does not accept this client, and trying again cannot help. */
export class Refused extends Error {
  constructor(code: string, message: string);
  readonly code: string;
}

/** Events after your position are gone. Load the state again; what follows is after `position`. */
export class HistoryLost extends Error {
  constructor(position: Position);
  readonly position: Position;
}

export interface EventsOptions {
  /** The server's address. */
  url: string | URL;
  token: TokenSource;
  /** By default everything that the role may see. */
  subscribe?: Wish | ((who: Who) => Wish);
  /** The stored position, or a function of the server's position that returns where to start. */
  since?: Position | null | ((connected: Position & { connection_id: string }) => Position);
  /** After so many ms without a message the server is pinged, and left 4 s later. */
  silence?: number;
  onStart?: (position: Position, who: Who) => unknown;
  onEvent?: (event: OrderEvent) => unknown;
  onHistoryLost?: (position: Position, who: Who) => unknown;
  onEnd?: (error: Error) => void;
  onState?: (state: LinkState) => void;
  onExpiring?: (time: number) => void;
}

/** A restaurant's events. Iterate over it unless `onEvent` was given. */
export interface Events extends AsyncIterableIterator<OrderEvent, undefined> {
  /** Resolves to the position where delivery starts; rejects with Refused. */
  readonly ready: Promise<Position>;
  /** The position of the event that you got last; at first, of `since`. */
  readonly position: Position | null;
  renew(): Promise<void>;
  close(): void;
  return(): Promise<IteratorResult<OrderEvent, undefined>>;
  [Symbol.asyncIterator](): Events;
}

/** Follows a restaurant's events, each once and in order, over lost connections. */
export function connectEvents(options: EventsOptions): Events;
