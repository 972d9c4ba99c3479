// Which client the hooks below use: one that the application made, or one that lives as long as the provider.
import type { Channels, ChannelTypes, Weir } from '@weir/client';
import type { FunctionComponent, ReactNode } from 'react';
import { createContext, createElement, useContext, useEffect, useRef, useState } from 'react';
import { useLatest } from './latest.ts';

/** A client whatever the types of its channels are. Only this package's own types of hooks say which. */
// biome-ignore lint/suspicious/noExplicitAny: a Weir of known channels is no Weir of all channels, nor the reverse.
export type AnyWeir = Weir<any>;

/** Either a client of the application, or a function that makes one for this provider. */
export type WeirProviderProps = {
  /** The components that may use the hooks. */ readonly children?: ReactNode;
} & (
  | {
      /** A client of `connect()`, which the application closes. Undefined where there is none yet. */
      readonly client: AnyWeir | undefined;
      /** Not beside `client`. */
      readonly connect?: undefined;
    }
  | {
      /**
       * Makes the client, as in `() => connect({ url })`: called once the provider is mounted, so never on a server, and
       * never again for the same provider. The provider closes that client when it is unmounted.
       */
      readonly connect: () => AnyWeir;
      /** Not beside `connect`. */
      readonly client?: undefined;
    }
);

const NOT_PROVIDED = Symbol('not provided');
const Context = createContext<AnyWeir | undefined | typeof NOT_PROVIDED>(NOT_PROVIDED);

/** Gives its client to the hooks of all components in it. */
export const WeirProvider: FunctionComponent<WeirProviderProps> = ({ client, connect, children }) => {
  const own = useOwnClient(connect);
  return createElement(Context.Provider, { value: connect === undefined ? client : own }, children);
};

/**
 * The client of the nearest provider; undefined on a server, and until a provider with `connect` is mounted. Throws
 * where there is no provider.
 */
export function useWeir<C extends Channels<C> = Record<string, ChannelTypes>>(): Weir<C> | undefined {
  const client = useContext(Context);
  if (client === NOT_PROVIDED) throw new Error('the hooks of @weir/react need a <WeirProvider> around them');
  return client;
}

function useOwnClient(connect: (() => AnyWeir) | undefined): AnyWeir | undefined {
  const [client, setClient] = useState<AnyWeir>();
  const kept = useRef<AnyWeir>(undefined);
  const closing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const connects = connect !== undefined;
  const latest = useLatest(connect);
  useEffect(() => {
    if (!connects) return undefined;
    // StrictMode unmounts and mounts again at once. The connection stays, since its end waits for a timer.
    clearTimeout(closing.current);
    kept.current ??= latest.current?.();
    setClient(kept.current);
    return () => {
      closing.current = setTimeout(() => {
        kept.current?.close();
        kept.current = undefined;
        setClient(undefined);
      }, 0);
    };
  }, [connects, latest]);
  return client;
}
