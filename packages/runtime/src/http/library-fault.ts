// Why the WebSocket library closed a connection by itself, according to its error.

/** protocolError: closed with 1002. badData: 1007. tooLarge: 1009. tooManyMessages: 1008, too many fragments. */
export const LIBRARY_FAULTS = ['protocolError', 'badData', 'tooLarge', 'tooManyMessages'] as const;
export type LibraryFault = (typeof LIBRARY_FAULTS)[number];

const BY_CODE: Readonly<Record<string, LibraryFault>> = {
  WS_ERR_INVALID_UTF8: 'badData',
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'tooLarge',
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 'tooLarge',
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 'tooManyMessages',
};

/** Undefined for an error of the socket: the library wrote no Close. */
export function libraryFaultOf(error: Error & { readonly code?: string }): LibraryFault | undefined {
  const code = error.code ?? '';
  // A compressed message that zlib cannot inflate.
  if (code.startsWith('Z_')) return 'badData';
  return BY_CODE[code] ?? (code.startsWith('WS_ERR_') ? 'protocolError' : undefined);
}
