// @weir/runtime: the process kit of every service. It has no word of the domain.
export type { NatsConnection } from '@nats-io/transport-node';
export type { Logger } from 'pino';
export type { Registry } from 'prom-client';
export type { AdminAnswer, AdminServer, Health } from './admin.ts';
export { startAdmin } from './admin.ts';
export type { Clock } from './clock.ts';
export { systemClock } from './clock.ts';
export { commonSettings, natsAccess } from './config/common-settings.ts';
export { loadConfig } from './config/load-config.ts';
export { parse } from './config/parse.ts';
export { readConfig } from './config/read-config.ts';
export type {
  ConfigOf,
  ConfigResult,
  ConfigRules,
  Setting,
  SettingsTable,
} from './config/setting.ts';
export { defineSettings } from './config/setting.ts';
export { settingsMarkdown } from './config/settings-text.ts';
export type { HttpAnswer } from './http/answer.ts';
export { refuseSocket, respondAndClose } from './http/answer.ts';
export type { Ending } from './http/ending.ts';
export { ENDINGS, timesWithin, watchEnding } from './http/ending.ts';
export { CLOSE_OPCODE, FrameGate, PONG_OPCODE } from './http/frame-gate.ts';
export { hostNamed, isKnownHost } from './http/known-host.ts';
export type { LibraryFault } from './http/library-fault.ts';
export { LIBRARY_FAULTS, libraryFaultOf } from './http/library-fault.ts';
export { CLIENT_SETTINGS, closeServer, listenOn } from './http/listen.ts';
export { Places } from './http/places.ts';
export type { ConnectionFault } from './http/upgrade-server.ts';
export { CONNECTION_FAULTS, createUpgradeServer } from './http/upgrade-server.ts';
export { logThrottle } from './logging/log-throttle.ts';
export { createLogger } from './logging/logger.ts';
export type {
  MetricRow,
  Metrics,
  MetricsTable,
  RegisteredMetrics,
  Sample,
} from './metrics/define-metrics.ts';
export { asOldName, defineMetrics, NAMES, registerMetrics } from './metrics/define-metrics.ts';
export type { BucketCounts } from './metrics/read-histogram.ts';
export { readSeries } from './metrics/read-series.ts';
export { createMetricsRegistry, processMetrics } from './metrics/registry.ts';
export type { Published } from './nats/bounded-publish.ts';
export { ensureStreams } from './nats/ensure-streams.ts';
export type { NatsLink, NatsOptions, NatsStatus } from './nats/link.ts';
export { NatsClosedError, openNats } from './nats/link.ts';
export { natsMetrics } from './nats/nats-metrics.ts';
export { JetStreamDisabledError, StreamConflictError, StreamSetupError } from './nats/stream-errors.ts';
export type { StreamDefinition } from './nats/stream-plan.ts';
export { isWrongLastSequence } from './nats/wrong-last-sequence.ts';
export type { IpAddress } from './network.ts';
export { networkOf, parseAddress } from './network.ts';
export { urlHost } from './process/announce.ts';
export { roomForSockets } from './process/open-files.ts';
export { processName } from './process/process-name.ts';
export type { Listening, Service, ServiceParts } from './process/run-service.ts';
export { runService } from './process/run-service.ts';
export type { ShutdownStep } from './process/shutdown.ts';
export type { TokenBucket } from './token-buckets.ts';
export { TokenBuckets } from './token-buckets.ts';
export { UsedOnce } from './used-once.ts';
export { WEIR_VERSION } from './version.ts';
