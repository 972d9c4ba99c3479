// `helm test`: for every pool, a client reaches a shard through the front door and receives a published message.
const { ROUTER, POOLS, AUTH, PUBLISHER, API_KEYS, SHARDS_BEHIND_EDGE } = process.env;
const DEADLINE_MS = 60_000;
const channel = `helm-test-${Date.now()}`;
const deadline = Date.now() + DEADLINE_MS;

try {
  if (AUTH === 'jwt') await refusesWithoutToken();
  else for (const pool of POOLS.split(',')) await again(() => throughPool(pool));
  console.log('all is well');
} catch (error) {
  console.error(`FAILED: ${error.message}`);
  process.exitCode = 1;
}
process.exit();

/** A Service answers a moment after its pods are ready; until then connections may be refused. */
async function again(attempt) {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      console.log(`once more: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function refusesWithoutToken() {
  const { code, reason } = await visit(`${ROUTER}/v1/connect?channels=${channel}`).ended;
  if (code !== 4500)
    throw new Error(`a client without a token was closed with ${code} ${reason}, not with 4500`);
  console.log('a client without a token is refused (auth.mode=jwt: nothing more can be tried without one)');
}

async function throughPool(pool) {
  const router = visit(`${ROUTER}/v1/connect?channels=${channel}&class=${pool}`);
  const redirect = await router.first('redirect');
  const shard = visit(reachable(redirect.url));
  const welcome = await shard.first('welcome');
  console.log(`${pool}: asked for it, welcomed by ${welcome.shard} of ${welcome.pool}`);
  const isSlowest = pool === POOLS.split(',')[0];
  if (isSlowest && welcome.pool !== pool) throw new Error(`asked for ${pool} and got ${welcome.pool}`);
  if (PUBLISHER === undefined) return;
  const value = Math.random();
  const received = shard.first('state', (message) => message.set?.test === value);
  const critical = shard.first('critical', (message) => message.data === value);
  await publish([
    { lane: 'state', channel, key: 'test', data: value },
    { lane: 'critical', channel, data: value },
  ]);
  await Promise.all([received, critical]);
  console.log(`${pool}: received what was published`);
  shard.socket.close(1000);
}

async function publish(messages) {
  const response = await fetch(`${PUBLISHER}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEYS.split(',')[0].trim() },
    body: JSON.stringify(messages),
  });
  if (response.status !== 200)
    throw new Error(`the publisher answered ${response.status} ${await response.text()}`);
}

/** The public name may be unknown inside the cluster: with the edge, the same path on the edge's Service works too. */
function reachable(url) {
  if (SHARDS_BEHIND_EDGE !== 'true') return url;
  const { pathname, search } = new URL(url);
  return `${new URL(ROUTER).origin}${pathname}${search}`;
}

/** A connection with a queue of messages, for awaiting the next one. */
function visit(url) {
  const socket = new WebSocket(url, ['weir.v1']);
  const messages = [];
  const waiting = new Set();
  socket.onmessage = ({ data }) => {
    messages.push(JSON.parse(data));
    for (const check of waiting) check();
  };
  const ended = new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => {
      resolve({ code, reason });
      for (const check of waiting) check(code, reason);
    };
  });
  const first = (type, matches = () => true) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ${type} within 20 s`)), 20_000);
      const check = (code, reason) => {
        const found = messages.find((message) => message.type === type && matches(message));
        if (found === undefined && code === undefined) return;
        clearTimeout(late);
        waiting.delete(check);
        if (found === undefined) reject(new Error(`closed with ${code} ${reason} before any ${type}`));
        else resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { socket, first, ended };
}
