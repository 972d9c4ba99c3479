// Tells the parent process, where there is one, what this process listens on. The log line is the caller's.

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
