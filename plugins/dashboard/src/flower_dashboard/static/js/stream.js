// The stream of changes. All tabs of a browser share one connection, because a browser allows a host only six.
//
// Who holds the lock keeps the connection and passes on what it hears; the others say what they want to hear.
// Where there are no locks (plain http by another name than localhost), each tab has a connection of its own.

const RETRY = 3000;
const SETTLE = 200;

/**
 * Follow `topics` at the stream's address until `close` is called. `changed` is called when one of them changes,
 * `connected` with whether the stream stands.
 */
export function follow(address, topics, { changed, connected }) {
  const name = `flower-stream ${new URL(address, location.href).pathname}`;
  const shared = navigator.locks && typeof BroadcastChannel === "function" ? new BroadcastChannel(name) : null;
  const me = String(Math.random());
  const wanted = new Map([[me, topics]]);
  const hear = (news) => news.some((topic) => topics.includes(topic)) && changed();
  let release = null;
  let connection = null;
  let timer = 0;
  let closed = false;

  const connect = () => {
    connection?.close();
    const url = new URL(address, location.href);
    url.searchParams.set("topics", [...new Set([...wanted.values()].flat())].join(","));
    connection = listen(url, {
      changed: (news) => {
        hear(news);
        shared?.postMessage({ news });
      },
      connected: (up) => {
        connected(up);
        shared?.postMessage({ up });
      },
    });
  };
  const receive = ({ data }) => {
    if (data.news) hear(data.news);
    if ("up" in data) connected(data.up);
    if (data.ask && !connection) shared.postMessage({ from: me, topics });
    if (data.from && connection) {
      if (data.topics) wanted.set(data.from, data.topics);
      else wanted.delete(data.from);
      clearTimeout(timer);
      timer = setTimeout(connect, SETTLE);
    }
  };

  if (shared) {
    const waiting = new AbortController();
    release = () => waiting.abort();
    shared.addEventListener("message", receive);
    shared.postMessage({ from: me, topics });
    const hold = () =>
      new Promise((resolve) => {
        if (closed) return resolve();
        release = resolve;
        connect();
        shared.postMessage({ ask: true });
      });
    navigator.locks.request(name, { signal: waiting.signal }, hold).catch(() => {});
  } else {
    connect();
  }
  return function close() {
    closed = true;
    clearTimeout(timer);
    connection?.close();
    connection = null;
    shared?.postMessage({ from: me });
    shared?.close();
    release?.();
  };
}

/** Hold one connection and renew it when it is refused; a clean end renews itself. */
function listen(url, { changed, connected }) {
  let source = null;
  let timer = 0;
  let closed = false;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener("change", (event) => changed(JSON.parse(event.data).topics));
    source.addEventListener("open", () => connected(true));
    source.addEventListener("error", () => {
      const mine = source;
      if (mine.readyState !== EventSource.CLOSED) {
        setTimeout(() => !closed && mine.readyState === EventSource.CONNECTING && connected(false), RETRY);
        return;
      }
      connected(false);
      timer = setTimeout(() => closed || open(), RETRY);
    });
  };
  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      source.close();
    },
  };
}
