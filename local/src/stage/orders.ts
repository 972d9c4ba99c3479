// What the page may ask for, read from the body of its request. Everything else is refused.
import { isLineName, type LineName } from '../lines/line.ts';

export const DEVICES = ['fibre', 'phone', 'hotel', 'naive'] as const;
export type DeviceName = (typeof DEVICES)[number];

export const ACTIONS = ['kill', 'drain', 'cut', 'burst', 'goal', 'nats'] as const;
export type ActionName = (typeof ACTIONS)[number];

export type Order =
  | { readonly do: ActionName; readonly shard: string | undefined }
  | { readonly do: 'crowd'; readonly clients: number }
  | { readonly do: 'line'; readonly device: DeviceName; readonly name: LineName }
  | { readonly do: 'publish'; readonly message: string }
  | { readonly do: 'replay' };

const MAX_MESSAGE_CHARS = 20_000;

/** Undefined for what is no order. */
export function parseOrder(body: string): Order | undefined {
  let order: unknown;
  try {
    order = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof order !== 'object' || order === null || !('do' in order)) return undefined;
  const { do: name } = order;
  const action = ACTIONS.find((one) => one === name);
  if (action !== undefined) {
    const shard = 'shard' in order && typeof order.shard === 'string' ? order.shard : undefined;
    return { do: action, shard };
  }
  if (name === 'crowd' && 'clients' in order) {
    const clients = Number(order.clients);
    return Number.isInteger(clients) && clients >= 0 ? { do: 'crowd', clients } : undefined;
  }
  if (name === 'line' && 'device' in order && 'name' in order) {
    const device = DEVICES.find((one) => one === order.device);
    return device !== undefined && isLineName(order.name)
      ? { do: 'line', device, name: order.name }
      : undefined;
  }
  if (name === 'publish' && 'message' in order && typeof order.message === 'string') {
    return order.message.length <= MAX_MESSAGE_CHARS ? { do: 'publish', message: order.message } : undefined;
  }
  return name === 'replay' ? { do: 'replay' } : undefined;
}
