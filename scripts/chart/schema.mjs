// Owns charts/weir/values.schema.json: made from values.yaml (every key is there, nothing else is), from what is said
// here about single keys, and from the settings tables of the services.
const TEXT = { type: 'string' };
const FLAG = { type: 'boolean' };
const COUNT = { type: 'integer', minimum: 0 };
const TEXTS = { type: 'array', items: TEXT };
const QUANTITY = {
  type: ['string', 'integer'],
  pattern: '^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$',
  minimum: 1,
};
const RATIO_QUANTITY = { type: 'string', pattern: '^([0-9]+m?|[0-9]+\\.[0-9]+)?$' };
const OR_EMPTY_QUANTITY = { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?)?$' };
const WS_URL = {
  type: 'string',
  pattern: '^$|^wss?://[^?#@ ]+$',
  description: 'a ws:// or wss:// URL, without query',
};
const LABELS = { type: 'object', additionalProperties: TEXT };
const FREE = { type: 'object' };
const CPU = { type: ['string', 'number'], pattern: '^[0-9]+(\\.[0-9]+)?m?$', exclusiveMinimum: 0 };
const RESOURCES = {
  type: 'object',
  properties: {
    requests: { type: 'object', properties: { cpu: CPU, memory: QUANTITY } },
    limits: { type: 'object', properties: { cpu: CPU, memory: QUANTITY } },
  },
  additionalProperties: false,
};
const AUTO = { enum: ['auto', true, false] };
const PORT = { type: 'integer', minimum: 1, maximum: 65535 };

/** What single keys may be, by their path; where nothing is said, the type of the default. */
const SAID = {
  nameOverride: { type: 'string', pattern: '^$|^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 },
  fullnameOverride: { type: 'string', pattern: '^$|^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 },
  'image.registry': { type: 'string', minLength: 1, pattern: '^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$' },
  'image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  'image.pullSecrets': TEXTS,
  publicUrl: WS_URL,
  shardUrl: {
    type: 'string',
    pattern: '^$|^wss?://[^?#@ ]*\\$\\((POD_IP|POD_NAME)\\)[^?#@ ]*$',
    description: 'a ws:// or wss:// URL with $(POD_IP) or $(POD_NAME) in it: each shard has its own address',
  },
  'service.type': { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
  'service.port': PORT,
  'service.nodePort': { type: 'integer', minimum: 0, maximum: 65535 },
  'service.externalTrafficPolicy': { enum: ['', 'Cluster', 'Local'] },
  'edge.replicas': { type: 'integer', minimum: 1 },
  'edge.connections': { type: 'integer', minimum: 64 },
  'edge.resolver': { type: 'string', pattern: '^[a-zA-Z0-9.:\\[\\]-]+$' },
  'ingress.host': { type: 'string', pattern: '^[a-z0-9.*-]*$' },
  'ingress.tls': { type: 'array', items: FREE },
  'httpRoute.parentRefs': { type: 'array', items: FREE },
  'httpRoute.hostnames': TEXTS,
  trustedProxies: TEXTS,
  allowedOrigins: { ...TEXTS, minItems: 1 },
  'auth.mode': { enum: ['none', 'jwt'] },
  'auth.jwksUrl': { type: 'string', pattern: '^$|^https?://' },
  'auth.defaultChannels': TEXTS,
  'nats.url': {
    type: 'string',
    pattern: '^$|^(nats|tls)://[^@ ,]+(,(nats|tls)://[^@ ,]+)*$',
    description: 'nats:// or tls:// URLs, comma separated; users and passwords go into nats.existingSecret',
  },
  'nats.replicas': { type: 'integer', minimum: 1, maximum: 5 },
  'nats.storage': QUANTITY,
  subjectPrefix: { type: 'string', pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$' },
  'streams.maxBytes': QUANTITY,
  'streams.criticalMaxAgeMs': { type: 'integer', minimum: 1000, maximum: 86400000 },
  'streams.criticalMaxPerChannel': { type: 'integer', minimum: 1, maximum: 10000000 },
  logLevel: { enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] },
  'router.replicas': { type: 'integer', minimum: 1 },
  'publisher.replicas': { type: 'integer', minimum: 0 },
  'publisher.demo': { enum: ['none', 'lobby'] },
  'control.replicas': { type: 'integer', minimum: 1 },
  'autoscaling.source': { enum: ['builtin', 'keda', 'prometheusAdapter', 'none'] },
  'autoscaling.scaleUp.percent': { type: 'integer', minimum: 1 },
  'autoscaling.scaleUp.pods': { type: 'integer', minimum: 1 },
  'autoscaling.scaleUp.periodSeconds': { type: 'integer', minimum: 1, maximum: 1800 },
  'autoscaling.scaleDown.stabilizationSeconds': { type: 'integer', minimum: 0, maximum: 3600 },
  'autoscaling.scaleDown.periodSeconds': { type: 'integer', minimum: 1, maximum: 1800 },
  'networkPolicy.metricsFrom': { type: 'array', items: FREE },
  'monitoring.podMonitor': AUTO,
  'monitoring.prometheusRule': AUTO,
  'poolDefaults.order': COUNT,
  'poolDefaults.capacity': { type: 'integer', minimum: 1, maximum: 1000000 },
  'poolDefaults.hardBytes': { type: 'integer', minimum: 8192, maximum: 1000000000 },
  'poolDefaults.threads': { type: 'integer', minimum: 0, maximum: 64 },
  'poolDefaults.replicas': COUNT,
  'poolDefaults.minReplicas': { type: 'integer', minimum: 1 },
  'poolDefaults.maxReplicas': { type: 'integer', minimum: 1 },
  'poolDefaults.targets.connectionsRatio': { type: 'number', minimum: 0.05, maximum: 1 },
  'poolDefaults.targets.bufferedBytes': OR_EMPTY_QUANTITY,
  'poolDefaults.targets.eventLoopUtilization': RATIO_QUANTITY,
  'poolDefaults.targets.egressBytesPerSecond': OR_EMPTY_QUANTITY,
  'poolDefaults.targets.tickLagSeconds': RATIO_QUANTITY,
  'poolDefaults.drain.windowMs': { type: 'integer', minimum: 100, maximum: 3600000 },
  'poolDefaults.drain.withinMs': { type: 'integer', minimum: 100, maximum: 3600000 },
  'poolDefaults.drain.movesPerSecond': { type: 'integer', minimum: 10, maximum: 100000 },
  'poolDefaults.sysctls.tcpWmem': { type: 'string', pattern: '^$|^[0-9]+ [0-9]+ [0-9]+$' },
  'poolDefaults.maxSurge': { type: ['integer', 'string'], minimum: 1, pattern: '^[0-9]+%$' },
  podLabels: LABELS,
};

/** Keys of these names are the same everywhere. */
const EVERYWHERE = {
  annotations: LABELS,
  podAnnotations: LABELS,
  nodeSelector: LABELS,
  labels: LABELS,
  tolerations: { type: 'array', items: FREE },
  affinity: FREE,
  resources: RESOURCES,
};

/** What is in `settings`: which settings of which service the chart leaves to the user. */
const SETTINGS = {
  'router.settings': 'router',
  'publisher.settings': 'publisher',
  'control.settings': 'control',
  'poolDefaults.settings': 'shard',
};

const POOL_NAME = '^[a-z]([-a-z0-9]{0,14}[a-z0-9])?$';

/** The schema as text. `variables` are the settings of each service by name of the environment variable. */
export async function schemaText(valuesYaml, variables) {
  const { parse } = await import('yaml'); // not installed yet when a command begins
  const values = parse(valuesYaml);
  const schema = objectOf(values, '', variables);
  schema.properties.pools = {
    type: 'object',
    propertyNames: { pattern: POOL_NAME },
    additionalProperties: { ...optional(schema.properties.poolDefaults), type: ['object', 'null'] },
  };
  schema.properties.global = FREE; // Helm's own, where the chart is a part of another
  const whole = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of Weir', ...schema };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function objectOf(values, path, variables) {
  const properties = {};
  for (const [key, value] of Object.entries(values)) {
    const at = path === '' ? key : `${path}.${key}`;
    properties[key] = at in SETTINGS ? settingsOf(variables[SETTINGS[at]]) : ofKey(at, key, value, variables);
  }
  return { type: 'object', properties, required: Object.keys(values), additionalProperties: false };
}

function ofKey(at, key, value, variables) {
  const said = SAID[at] ?? EVERYWHERE[key];
  if (said !== undefined) return said;
  if (at === 'pools') return FREE;
  if (typeof value === 'string') return TEXT;
  if (typeof value === 'boolean') return FLAG;
  if (typeof value === 'number') return COUNT;
  if (Array.isArray(value)) throw new Error(`say in scripts/chart/schema.mjs what ${at} may hold`);
  return objectOf(value, at, variables);
}

function settingsOf(names) {
  return {
    type: 'object',
    propertyNames: names === undefined ? { pattern: '^WEIR_[A-Z0-9_]+$' } : { enum: names },
    additionalProperties: { type: ['string', 'number', 'boolean'] },
  };
}

/** A pool says only what is different. */
function optional(schema) {
  if (schema.type !== 'object' || schema.properties === undefined) return schema;
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([key, value]) => [key, optional(value)]),
  );
  const { required: _, ...rest } = schema;
  return { ...rest, properties };
}
