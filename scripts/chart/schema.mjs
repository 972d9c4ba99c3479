// Owns charts/weir/values.schema.json. It follows from values.yaml (exactly its keys are allowed), from the rules for
// single keys in this file, and from the settings tables of the services.
const TEXT = { type: 'string' };
const FLAG = { type: 'boolean' };
const COUNT = { type: 'integer', minimum: 0 };
const TEXTS = { type: 'array', items: TEXT };
const QUANTITY = {
  type: ['string', 'integer'],
  pattern: '^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$',
  minimum: 1,
};
/** Targets of an HPA: 0, "" and null switch a target off. */
const TARGET = {
  type: ['string', 'number', 'null'],
  pattern: '^([0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?)?$',
  minimum: 0,
};
/** A ratio of the capacity: 0, or 0.05 to 1. `--set` passes it as a string. */
const RATIO_TARGET = {
  type: ['string', 'number', 'null'],
  pattern: '^(0(\\.0+)?|0\\.(0[5-9]|[1-9])[0-9]*|1(\\.0+)?)?$',
  maximum: 1,
  not: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.05 },
  minimum: 0,
};
const HOST = '([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])';
const PORT_NUMBER = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
const AUTHORITY = `${HOST}(:${PORT_NUMBER})?`;
const WS_URL = {
  type: 'string',
  pattern: `^$|^wss?://${AUTHORITY}(/[!$-;=A-Z\\[\\]_a-z~]*)?$`,
  maxLength: 240,
  description: 'a ws:// or wss:// URL, without query',
};
const CHANNEL_PATTERN = {
  type: 'string',
  pattern: '^(>|(([A-Za-z0-9_-]+|\\*)\\.)*([A-Za-z0-9_-]+|\\*|>))$',
  maxLength: 128,
};
const TRIMMED = { type: 'string', pattern: '^(\\S(.*\\S)?)?$', maxLength: 4096 };
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

/** Rules for single keys, by their path; a key without a rule has the type of its default. */
const SAID = {
  nameOverride: { type: 'string', pattern: '^$|^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 },
  fullnameOverride: { type: 'string', pattern: '^$|^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 40 },
  'image.registry': { type: 'string', minLength: 1, pattern: '^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$' },
  'image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  'image.pullSecrets': TEXTS,
  publicUrl: WS_URL,
  shardUrl: {
    type: 'string',
    pattern: '^$|^wss?://[!$-;=A-Z\\[\\]_a-z~]*\\$\\((POD_IP|POD_NAME)\\)[!$-;=A-Z\\[\\]_a-z~]*$',
    maxLength: 190,
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
  trustedProxies: { ...TEXTS, maxItems: 900 },
  allowedOrigins: { ...TEXTS, minItems: 1, maxItems: 900 },
  'auth.mode': { enum: ['none', 'jwt'] },
  'auth.jwksUrl': { type: 'string', pattern: `^$|^https?://${AUTHORITY}([/?#]\\S*)?$`, maxLength: 2048 },
  'auth.audience': TRIMMED,
  'auth.issuer': TRIMMED,
  'auth.channelsClaim': { type: 'string', pattern: '^\\S(.*\\S)?$', maxLength: 255 },
  'auth.defaultChannels': { type: 'array', items: CHANNEL_PATTERN, maxItems: 900 },
  'nats.url': {
    type: 'string',
    pattern: `^$|^(nats|tls)://${AUTHORITY}/?(,(nats|tls)://${AUTHORITY}/?)*$`,
    description: 'nats:// or tls:// URLs, comma separated; users and passwords go into nats.existingSecret',
  },
  'nats.replicas': { type: 'integer', minimum: 1, maximum: 5 },
  'nats.spread': { enum: ['DoNotSchedule', 'ScheduleAnyway'] },
  'nats.storage': QUANTITY,
  subjectPrefix: { type: 'string', pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$', maxLength: 64 },
  clusterDomain: { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' },
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
  'console.allowedHosts': {
    type: 'array',
    items: {
      type: 'string',
      pattern:
        '^\\.?([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\\.)*[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$',
      maxLength: 253,
      description: 'a host name without scheme and port; with a dot before it also all names below',
    },
  },
  'networkPolicy.metricsFrom': { type: 'array', items: FREE },
  'networkPolicy.consoleFrom': { type: 'array', items: FREE },
  'networkPolicy.apiServerPorts': { type: 'array', items: PORT, minItems: 1 },
  'networkPolicy.furtherPorts': { type: 'array', items: PORT },
  'networkPolicy.dnsPorts': { type: 'array', items: PORT, minItems: 1 },
  'monitoring.podMonitor': AUTO,
  'monitoring.prometheusRule': AUTO,
  'poolDefaults.capacity': { type: 'integer', minimum: 1, maximum: 1000000 },
  'poolDefaults.hardBytes': { type: 'integer', minimum: 8192, maximum: 1000000000 },
  'poolDefaults.threads': { type: 'integer', minimum: 0, maximum: 64 },
  'poolDefaults.replicas': COUNT,
  'poolDefaults.minReplicas': { type: 'integer', minimum: 1 },
  'poolDefaults.maxReplicas': { type: 'integer', minimum: 1 },
  'poolDefaults.targets.connectionsRatio': RATIO_TARGET,
  'poolDefaults.targets.awaitedBytes': TARGET,
  'poolDefaults.targets.healthyBacklogBytes': TARGET,
  'poolDefaults.targets.bufferedBytes': TARGET,
  'poolDefaults.targets.eventLoopUtilization': TARGET,
  'poolDefaults.targets.egressBytesPerSecond': TARGET,
  'poolDefaults.targets.tickLatenessSeconds': TARGET,
  'poolDefaults.targets.tickLagSeconds': TARGET,
  'poolDefaults.order': { type: 'integer', minimum: 0, maximum: 999_999_999 },
  'poolDefaults.drain.graceMs': { type: 'integer', minimum: 0, maximum: 3600000 },
  'poolDefaults.drain.windowMs': { type: 'integer', minimum: 100, maximum: 3600000 },
  'poolDefaults.drain.withinMs': { type: 'integer', minimum: 100, maximum: 3600000 },
  'poolDefaults.drain.movesPerSecond': { type: 'integer', minimum: 10, maximum: 100000 },
  'poolDefaults.drain.together': { type: 'integer', minimum: 1, maximum: 100 },
  'poolDefaults.sysctls.tcpWmem': { type: 'string', pattern: '^$|^[0-9]+ [0-9]+ [0-9]+$' },
  'poolDefaults.maxSurge': { type: ['integer', 'string'], minimum: 1, pattern: '^[0-9]+%$' },
  podLabels: LABELS,
};

/** Keys with these names have the same rule everywhere. */
const EVERYWHERE = {
  annotations: LABELS,
  podAnnotations: LABELS,
  nodeSelector: LABELS,
  labels: LABELS,
  tolerations: { type: 'array', items: FREE },
  affinity: FREE,
  resources: RESOURCES,
};

/** The `settings` keys: which settings of which service the chart leaves to the user. */
const SETTINGS = {
  'router.settings': 'router',
  'publisher.settings': 'publisher',
  'control.settings': 'control',
  'poolDefaults.settings': 'shard',
};

const POOL_NAME = '^[a-z]([-a-z0-9]{0,14}[a-z0-9])?$';

/** The schema as text. `variables` are the settings of each service by name of the environment variable. */
export async function schemaText(valuesYaml, variables) {
  const { parse } = await import('yaml'); // loaded here: it may not be installed before the set-up
  const values = parse(valuesYaml);
  const schema = objectOf(values, '');
  // With `propertyNames` and `additionalProperties` Helm's error would point to another place of the values.
  schema.properties.pools = {
    type: 'object',
    patternProperties: {
      [POOL_NAME]: { ...optional(schema.properties.poolDefaults), type: ['object', 'null'] },
    },
    additionalProperties: false,
  };
  schema.properties.global = FREE; // Helm's own key, used if the chart is part of another chart
  const definitions = Object.fromEntries(
    Object.entries(SETTINGS).map(([, service]) => [service, settingsOf(variables[service])]),
  );
  const whole = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of Weir',
    ...schema,
    definitions,
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function objectOf(values, path) {
  const properties = {};
  for (const [key, value] of Object.entries(values)) {
    const at = path === '' ? key : `${path}.${key}`;
    properties[key] = at in SETTINGS ? { $ref: `#/definitions/${SETTINGS[at]}` } : ofKey(at, key, value);
  }
  const required = Object.keys(values).filter((key) => !properties[key].type?.includes('null'));
  return { type: 'object', properties, required, additionalProperties: false };
}

function ofKey(at, key, value) {
  const said = SAID[at] ?? EVERYWHERE[key];
  if (said !== undefined) return said;
  if (at === 'pools') return FREE;
  if (typeof value === 'string') return TEXT;
  if (typeof value === 'boolean') return FLAG;
  if (typeof value === 'number') return COUNT;
  if (Array.isArray(value)) throw new Error(`add a rule for ${at} to scripts/chart/schema.mjs`);
  return objectOf(value, at);
}

/** The settings of one service by name. */
function settingsOf(variables) {
  if (variables === undefined) return { type: 'object', patternProperties: { '^WEIR_[A-Z0-9_]+$': {} } };
  const properties = Object.fromEntries(
    Object.entries(variables).map(([name, takes]) => [name, settingOf(takes)]),
  );
  return { type: 'object', properties, additionalProperties: false };
}

/** A number, or the string that the service's parser accepts; validate.yaml checks numbers in strings. */
function settingOf({ kind, range, units, values }) {
  const bounds = range === undefined ? {} : { minimum: range.min, maximum: range.max };
  switch (kind) {
    case 'int':
      return { type: ['integer', 'string'], pattern: '^-?[0-9]{1,16}$', ...bounds };
    case 'number':
      return { type: ['number', 'string'], pattern: '^-?[0-9]{1,20}(\\.[0-9]{1,20})?$', ...bounds };
    case 'quantity': {
      const names = Object.keys(units).map((unit) => unit.replace(/./g, (c) => `[${c}${c.toUpperCase()}]`));
      const pattern = `^[0-9]{1,15}(\\.[0-9]{1,3})?(${names.join('|')})?$`;
      return { type: ['integer', 'string'], pattern, ...bounds };
    }
    case 'flag':
      return { enum: [true, false, 'true', 'false', 1, 0, '1', '0'] };
    case 'oneOf':
      return { enum: values };
    case 'url':
      return { type: 'string', pattern: `^(${values.join('|')})//[^/\\s]+\\S*$` };
    default:
      return { type: 'string', minLength: 1 };
  }
}

/** A pool sets only the values that differ from poolDefaults. */
function optional(schema) {
  if (schema.type !== 'object' || schema.properties === undefined) return schema;
  const properties = Object.fromEntries(
    Object.entries(schema.properties).map(([key, value]) => [key, optional(value)]),
  );
  const { required: _, ...rest } = schema;
  return { ...rest, properties };
}
