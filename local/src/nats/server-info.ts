// Reads the INFO line that every NATS server sends first. Never logs in.
import { connect } from 'node:net';

export interface ServerInfo {
  readonly version: string;
  readonly jetstream: boolean;
}

const DEFAULT_PORT = 4222;
/** An INFO line is about 500 bytes; a peer that sends this much without one is not a NATS server. */
const MAX_INFO_BYTES = 64 * 1024;

/** Connects to `url` and reads the INFO line; rejects if no NATS server answers in time. */
export function readServerInfo(url: string, timeoutMs = 3000): Promise<ServerInfo> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: port === '' ? DEFAULT_PORT : Number(port) });
    let text = '';
    const end = (finish: () => void): void => {
      socket.destroy();
      finish();
    };
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMs, () => end(() => reject(new Error('no answer'))));
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () => reject(new Error('closed without an answer')));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\r\n') || text.length > MAX_INFO_BYTES) {
        end(() => {
          const info = parseInfo(text);
          if (info === undefined) reject(new Error('the peer is not a NATS server'));
          else resolve(info);
        });
      }
    });
  });
}

/** Parses `INFO {…}`; undefined for anything else. */
function parseInfo(text: string): ServerInfo | undefined {
  const json = /^INFO (\{.*\})/.exec(text)?.[1];
  if (json === undefined) return undefined;
  try {
    const info: unknown = JSON.parse(json);
    if (typeof info !== 'object' || info === null) return undefined;
    const version = 'version' in info && typeof info.version === 'string' ? info.version : '';
    return { version, jetstream: 'jetstream' in info && info.jetstream === true };
  } catch {
    return undefined;
  }
}
