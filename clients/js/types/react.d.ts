import type { EventsOptions, LinkState, OrderEvent, Position, TokenSource, Who } from "./events.js";

export interface UseEventsOptions<State>
  extends Omit<EventsOptions, "onStart" | "onEvent" | "onHistoryLost" | "onEnd" | "onState"> {
  /** Called once for each event, in order. */
  reduce: (state: State, event: OrderEvent) => State;
  initial: State;
  /** Returns the state to begin with, at first and after lost history. */
  load?: (who: Who) => State | Promise<State>;
}

/** Follows events and reduces them to a state. */
export function useEvents<State>(options: UseEventsOptions<State>): {
  state: State;
  link: LinkState;
  error: Error | null;
  position: Position | null;
};

export interface UseWebSocketOptions {
  url: string | URL;
  token: TokenSource;
  /** "voice-stream" for that socket; by default the root socket, silent until `subscribe`. */
  path?: string;
  /** Called once for each message, in order. */
  onMessage: (message: { type: string; data?: Record<string, unknown>; [field: string]: unknown }) => void;
}

/** Keeps a socket open. `send` returns false, and sends nothing, while there is no connection. */
export function useWebSocket(options: UseWebSocketOptions): {
  link: LinkState;
  error: Error | null;
  send: (message: object) => boolean;
};
