/** React hooks. What arrives goes through your function at once, not through React's state, so no
 *  message is lost when React batches updates or renders late. */

import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { connectEvents } from "./lib/events.js";
import { Link, socketUrl } from "./lib/socket.js";

/** A value that components can watch. */
function createStore(value) {
  const watchers = new Set();
  return {
    get: () => value,
    set(change) {
      value = { ...value, ...change };
      for (const watcher of watchers) watcher();
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** Returns a ref that always holds the value of the last render. */
function useLatest(value) {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

function useStore(initial) {
  const [store] = useState(() => createStore(initial));
  return [useSyncExternalStore(store.watch, store.get, store.get), store];
}

/**
 * Follows events and reduces them to a state: `reduce(state, event)` is called once for each, in order.
 * `load(who)`, if given, returns the state to begin with, at first and after lost history. The other
 * options are those of `connectEvents`. Returns `{state, link, error, position}`.
 */
export function useEvents({ reduce, initial, load, ...options }) {
  const latest = useLatest({ reduce, load, options });
  const [snapshot, store] = useStore({
    state: initial,
    link: { name: "connecting" },
    error: null,
    position: null,
  });
  const { url, subscribe } = options;
  const connection = JSON.stringify([String(url), typeof subscribe === "function" ? null : subscribe]);
  useEffect(() => {
    const begin = async (position, who) => {
      const { load: loadState } = latest.current;
      const loaded = loadState ? { state: await loadState(who) } : {};
      if (!closed) store.set({ ...loaded, position });
    };
    let closed = false;
    const { token, subscribe: wish, since } = latest.current.options;
    const events = connectEvents({
      ...latest.current.options,
      token: typeof token === "function" ? () => latest.current.options.token() : token,
      subscribe: typeof wish === "function" ? (who) => latest.current.options.subscribe(who) : wish,
      // An effect that runs again goes on where the first one was.
      since: store.get().position ?? since,
      onStart: (position, who) => (store.get().position ? undefined : begin(position, who)),
      onHistoryLost: begin,
      onEvent(event) {
        const state = latest.current.reduce(store.get().state, event);
        store.set({ state, position: events.position });
      },
      onState: (link) => store.set({ link }),
      onEnd: (error) => store.set({ error }),
    });
    return () => {
      closed = true;
      events.close();
    };
  }, [connection, latest, store]);
  return snapshot;
}

/**
 * Keeps a socket open: `onMessage(message)` is called once for each message, in order. `path` is
 * "voice-stream" for that socket. Returns `{link, error, send}`; `send(message)` returns false, and sends
 * nothing, while there is no connection.
 */
export function useWebSocket({ url, token, path = "?subscribe=explicit", onMessage }) {
  const latest = useLatest({ token, onMessage });
  const [snapshot, store] = useStore({ link: { name: "connecting" }, error: null });
  const current = useRef(null);
  const address = socketUrl(url, path);
  useEffect(() => {
    const source = latest.current.token;
    const link = new Link(
      address,
      typeof source === "function" ? () => latest.current.token() : source,
      {
        connected: (data) => latest.current.onMessage({ type: "connected", data }),
        message: (message) => latest.current.onMessage(message),
        state: (state) => store.set({ link: state }),
        refused: (error) => store.set({ error }),
      },
    );
    current.current = link;
    link.open();
    return () => link.close();
  }, [address, latest, store]);
  const send = useCallback((message) => current.current?.send(message) ?? false, []);
  return { ...snapshot, send };
}
