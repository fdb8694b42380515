import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError } from "../../core/errors.js";
import { EventMask, type X11Connection } from "./x11-connection.js";

/** How long a program may be busy before it must have read its keys. */
const PONG_TIMEOUT_MS = 10_000;
/** For programs that do not answer pings: several times what a busy one takes to come back to its event loop. */
const BLIND_WAIT_MS = 250;

/**
 * Waits until the focused application has taken every event sent to it so far. Applications read their events in order and answer
 * the window manager's ping (EWMH, _NET_WM_PING) from the same queue, so the answer to a ping sent now comes after the keys.
 * @throws DeskhandError `timeout` when the application does not answer.
 */
export async function awaitFocusedApplication(connection: X11Connection): Promise<void> {
  await connection.sync();
  const [protocols, ping] = await Promise.all([connection.atom("WM_PROTOCOLS"), connection.atom("_NET_WM_PING")]);
  const window = await pingableWindow(connection, protocols, ping);
  if (window === undefined) {
    await sleep(BLIND_WAIT_MS);
    return;
  }
  const serial = nextSerial();
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  using _events = connection.listen(connection.root, EventMask.substructureNotify, (event) => {
    if (event.name === "ClientMessage" && event.message_type === protocols && event.data?.[0] === ping && event.data[1] === serial) answer();
  });
  connection.sendClientMessage(window, protocols, [ping, serial, window, 0, 0]);
  const timer = new AbortController();
  try {
    const late = sleep(PONG_TIMEOUT_MS, "late" as const, { signal: timer.signal });
    if ((await Promise.race([answered, late])) === "late")
      throw new DeskhandError("timeout", `Expected the focused application to take its keys within ${PONG_TIMEOUT_MS / 1000} s but it does not answer; it may hang.`);
  } finally {
    timer.abort();
  }
}

/** The focused window or the ancestor of it that answers pings. */
async function pingableWindow(connection: X11Connection, protocols: number, ping: number): Promise<number | undefined> {
  try {
    let window = await connection.focusedWindow();
    // 0 is no focus, 1 is the pointer's window.
    while (window > 1 && window !== connection.root) {
      if ((await connection.property(window, protocols)).includes(ping)) return window;
      window = await connection.parentOf(window);
    }
  } catch {
    // The window was closed meanwhile. If the server has gone, the next request says so.
  }
  return undefined;
}

/** Stands in the ping where the window manager puts a timestamp; the application sends it back untouched. */
let serial = Date.now() % 0x40000000;
function nextSerial(): number {
  serial += 1;
  return serial;
}
