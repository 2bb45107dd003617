/** Posting a form elsewhere with progress. `fetch` does not tell how much of a request was sent. */

/** No answer came. */
export class ConnectionLost extends Error {
  constructor() {
    super("The connection was lost while the archive was being sent.");
  }
}

/** Post a form without a credential, and return the answer's status. */
export function postForm(
  url: string,
  form: FormData,
  onBytes: (sent: number) => void,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.onprogress = ({ loaded }) => onBytes(loaded);
    request.onload = () => resolve(request.status);
    request.onerror = () => reject(new ConnectionLost());
    request.ontimeout = request.onerror;
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** Wait so many seconds, or until the browser says that the connection is back. */
export function pauseOnline(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, seconds * 1000);
    window.addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}
