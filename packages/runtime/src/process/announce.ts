// Where this process listens, in the words of whoever connects to it: URLs, and the parent process where there is one.
// The log line is the caller's.

/** Sends `{type:'listening', url, adminUrl}` over the IPC channel; does nothing without one. */
export function announceListening(where: { readonly url: string; readonly adminUrl: string }): void {
  if (process.send === undefined || !process.connected) return;
  // A parent that has just died is noticed by the shutdown, which listens for the end of the channel.
  process.send(
    { type: 'listening', url: where.url, adminUrl: where.adminUrl },
    undefined,
    {},
    () => undefined,
  );
}

/** How this machine reaches an address that something listens on, as a URL wants it. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
