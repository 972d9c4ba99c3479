// Tells where this process listens: as URLs for its clients, and by IPC to the parent process. The caller logs it.

/** Sends `{type:'listening', url, adminUrl}` to the parent over the IPC channel; does nothing without a channel. */
export function announceListening(where: { readonly url: string; readonly adminUrl: string }): void {
  if (process.send === undefined || !process.connected) return;
  // If the parent has just died, the shutdown notices: it listens for the end of the channel.
  process.send(
    { type: 'listening', url: where.url, adminUrl: where.adminUrl },
    undefined,
    {},
    () => undefined,
  );
}

/** The host of a URL by which this machine reaches a server that listens on `host`. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
