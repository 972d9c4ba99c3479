// The public surface of @weir/local for tests and tools: a NATS server of this machine, processes of services, and slow
// networks.

export { type Profile, type ProfileName, profiles, type Shape } from './lines/profiles.ts';
export {
  type ProxyStats,
  type ShapingProxy,
  type ShapingProxyOptions,
  startShapingProxy,
} from './lines/shaping-proxy.ts';
export { NatsServerMissingError } from './nats/fetch-nats-server.ts';
export { type FindOptions, findNatsServer, type NatsProgram } from './nats/find-nats-server.ts';
export { readServerInfo, type ServerInfo } from './nats/server-info.ts';
export { type NatsServer, type StartNatsOptions, startNatsServer } from './nats/start-nats-server.ts';
export { readReadiness } from './supervise/readiness.ts';
export { ServiceProcess, type ServiceProcessOptions } from './supervise/service-process.ts';
