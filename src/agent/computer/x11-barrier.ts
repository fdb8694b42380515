import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError } from "../../core/errors.js";
import { EventMask, type X11Connection } from "./x11-connection.js";

/** How often to look whether the window is still there to answer. */
const LOOK_MS = 50;
/** For programs that do not answer pings: several times what a busy one takes to come back to its event loop. */
const BLIND_WAIT_MS = 250;

/**
 * Waits until the focused application has taken every event sent to it so far. Applications read their events in order and answer
 * the window manager's ping (EWMH, _NET_WM_PING) from the same queue, so the answer to a ping sent now comes after the keys.
 * @throws DeskhandError `timeout` when the application does not answer.
 */
export async function awaitFocusedApplication(connection: X11Connection, timeoutMs: number): Promise<void> {
  await connection.sync();
  const [protocols, ping] = await Promise.all([connection.atom("WM_PROTOCOLS"), connection.atom("_NET_WM_PING")]);
  const window = await pingableWindow(connection, protocols, ping);
  if (window === undefined) {
    await sleep(BLIND_WAIT_MS);
    return;
  }
  const serial = nextSerial();
  let answered = false;
  let wake = (): void => undefined;
  // GTK and Tk answer to those who listen for what happens below the root window, Qt 5 to those who listen for what happens to it.
  using _events = connection.listen(connection.root, EventMask.substructureNotify | EventMask.structureNotify, (event) => {
    if (event.name !== "ClientMessage" || event.message_type !== protocols || event.data?.[0] !== ping || event.data[1] !== serial) return;
    answered = true;
    wake();
  });
  connection.sendClientMessage(window, protocols, [ping, serial, window, 0, 0]);
  for (const deadlineMs = performance.now() + timeoutMs; performance.now() < deadlineMs; ) {
    const timer = new AbortController();
    wake = () => timer.abort();
    if (!answered) await sleep(LOOK_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    if (answered || !(await exists(connection, window, protocols))) return;
  }
  throw new DeskhandError("timeout", `Expected the focused application to take its keys within ${timeoutMs / 1000} s but it does not answer; it may hang.`);
}

/** A window that was closed reads no more keys. */
async function exists(connection: X11Connection, window: number, property: number): Promise<boolean> {
  return connection.property(window, property).then(
    () => true,
    () => false,
  );
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
