// The same feed on four lines, side by side: each device with its picture of the market, and what was measured of it.
import { MarketBoard } from '/market-board.js';
import { NaiveDevice } from '/naive-device.js';
import { bytes, count, duration, element, put, rate, sentence } from '/show.js';
import { Spark } from '/spark.js';
import { WeirDevice } from '/weir-device.js';

const DEVICES = [
  { name: 'fibre', title: 'Desktop on fibre', kind: 'desk' },
  { name: 'phone', title: 'Phone on weak LTE', kind: 'phone' },
  { name: 'hotel', title: 'Phone on hotel Wi-Fi', kind: 'phone' },
  { name: 'naive', title: 'The same Wi-Fi, a naive ws loop', kind: 'phone' },
];
const LINES = [
  ['fibre', 'Fibre 200 Mbit/s'],
  ['lte', 'LTE 12 Mbit/s'],
  ['weak-lte', 'LTE 1.3 Mbit/s'],
  ['3g', '3G 1.6 Mbit/s'],
  ['2g', '2G 35 kbit/s'],
  ['hotel', 'Wi-Fi 10 KB/s'],
  ['satellite', 'Satellite 620 ms'],
  ['cut', 'Cut'],
];
const FACTS = [
  ['pool', 'Pool'],
  ['shard', 'Shard'],
  ['measured', 'Measured'],
  ['skipped', 'Skipped'],
  ['critical', 'Critical'],
  ['undelivered', 'Not yet delivered'],
];
const ROWS = 6;
const SAMPLE_MS = 500;
const AGE_MS = 200;
const TOAST_MS = 4_000;
const OLD_MS = 4_000;

const CHANGED = 'the network has changed: “Measure again” asks the router now';

export class Lines {
  #live;
  #cards;
  #verdict;

  constructor({ root, verdict, stage, router, live }) {
    this.#live = live;
    this.#verdict = verdict;
    const { now } = live;
    const common = {
      router,
      channel: stage.channel,
      now,
      naive: stage.naive,
      naiveLimitBytes: stage.naiveLimitBytes,
    };
    this.#cards = DEVICES.map(({ name, title, kind }) => {
      const options = { ...common, addresses: stage.lines[name] };
      const device = name === 'naive' ? new NaiveDevice(options) : new WeirDevice(options);
      device.lastPublished = () => live.view?.feed.goals;
      const card = makeCard({ name, title, kind, device, ask: (order) => live.ask(order) });
      root.append(card.root);
      return card;
    });
    live.on('view', (view) => this.#seeView(view));
    setInterval(() => this.#sample(), SAMPLE_MS);
    setInterval(() => this.#showAges(), AGE_MS);
    const frame = (nowMs) => {
      for (const card of this.#cards) card.board.draw(card.device.model.values, nowMs);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** The shard of the first device: the one to kill, so that something is to be seen. */
  get shard() {
    return this.#cards[0].device.facts.shard;
  }

  mark() {
    for (const { device } of this.#cards) device.model.mark();
  }

  /** What the devices with Weir saw since the mark, in a sentence; and the naive one. */
  saw() {
    const weir = this.#cards
      .filter(({ device }) => !device.isNaive)
      .map(({ device }) => device.model.sinceMark());
    const lost = weir.reduce((sum, one) => sum + one.lost, 0);
    const silence = Math.max(...weir.map(({ silenceMs }) => silenceMs));
    return `Your ${weir.length} devices: ${lost} critical lost, longest silence ${duration(silence)}.`;
  }

  /** How old the newest goal was when it came, on each device. */
  goalAges(n) {
    return this.#cards.map(({ title, device }) => {
      const age = device.model.goalAges.get(n);
      return `${title}: ${age === undefined ? 'still under way' : duration(age)}`;
    });
  }

  #age({ device: { model } }) {
    return model.newestAt === undefined ? undefined : Math.max(0, this.#live.now() - model.newestAt);
  }

  #sample() {
    for (const card of this.#cards) card.spark.add(this.#age(card));
    const scaleMs = this.#cards.reduce((most, { spark }) => Math.max(most, spark.highest), 0);
    for (const { spark } of this.#cards) spark.draw(scaleMs);
  }

  #showAges() {
    for (const card of this.#cards) {
      const age = this.#age(card);
      put(card.age, duration(age));
      card.root.dataset.state = age === undefined ? 'empty' : age > OLD_MS ? 'old' : 'fresh';
      showGoal(card);
    }
    const ages = this.#cards.map((card) => this.#age(card));
    const weir = Math.max(...ages.filter((age, at) => age !== undefined && !this.#cards[at].device.isNaive));
    const naive = ages.at(-1);
    if (naive === undefined || weir < 0) return;
    put(
      this.#verdict,
      `The naive loop shows what was true ${duration(naive)} ago; the oldest picture of Weir is ${duration(weir)} old.`,
    );
  }

  #seeView(view) {
    for (const card of this.#cards) {
      const { device, name } = card;
      const { model } = device;
      if (device.isOpen) model.base ??= view.feed.goals;
      if (device.isNaive && view.naive.cut.includes(device.id)) device.wasCut();
      card.root.dataset.open = String(device.isOpen);
      const { pool, shard, rttMs, kbps, tickMs } = device.facts;
      card.show({
        pool: device.isNaive
          ? 'none'
          : pool === undefined
            ? '–'
            : `${pool}, ${tickMs >= 1_000 ? '1 Hz' : `${Math.round(1_000 / tickMs)} Hz`}`,
        shard: device.isNaive ? 'one process' : (shard ?? '–'),
        measured: device.isNaive
          ? 'never'
          : rttMs === undefined
            ? 'not yet'
            : `${duration(rttMs)}, ${rate(kbps)}`,
        skipped: count(model.skipped),
        critical: `${count(model.goals)} of ${count(model.sent(view.feed.goals))}`,
        undelivered: undelivered(device, view),
      });
      const line = view.lines[name];
      if (line !== undefined) card.line(line);
    }
  }
}

/** Of a Weir client the shard tells no number of its own: the sum of its shard's clients is what is in /metrics. */
function undelivered(device, view) {
  if (device.isNaive) {
    const mine = view.naive.clients.find(({ id }) => id === device.id);
    return mine === undefined ? '–' : bytes(mine.waitingBytes);
  }
  const shard = view.shards.find(({ id }) => id === device.facts.shard);
  if (shard === undefined || !shard.up) return '–';
  const all = shard.connections === 1 ? '' : `, ${count(shard.connections)} clients`;
  return `${bytes(shard.backlogBytes)}${all}`;
}

function makeCard({ name, title, kind, device, ask }) {
  const board = new MarketBoard(ROWS);
  const spark = new Spark();
  const age = element('strong', 'age', '–');
  const toast = element('p', 'goal');
  toast.hidden = true;
  const heading = element('h3', '', title);
  heading.id = `device-${name}`;
  const story = element('p', 'story', device.story);
  device.onStory = (text) => put(story, sentence(text));
  const places = new Map(FACTS.map(([fact]) => [fact, element('dd', '', '–')]));
  const facts = element(
    'dl',
    'facts',
    ...FACTS.map(([fact, label]) =>
      element('div', `fact-${fact}`, element('dt', '', label), places.get(fact)),
    ),
  );
  const select = element('select', '');
  select.id = `line-${name}`;
  select.append(...LINES.map(([value, text]) => new Option(text, value)));
  select.addEventListener('change', () => {
    put(story, device.isNaive ? 'the network has changed' : CHANGED);
    ask({ do: 'line', device: name, name: select.value }).catch((error) => put(story, error.message));
  });
  const label = element('label', 'hidden', `Network of: ${title}`);
  label.htmlFor = select.id;
  const again = element('button', 'quiet', device.isNaive ? 'Connect again' : 'Measure again');
  again.type = 'button';
  again.addEventListener('click', () => device.measure());
  const screen = element('div', 'screen', board.root, toast);
  const about = element('div', 'freshness', element('p', 'how-old', age, ' old'), spark.canvas);
  const root = element(
    'article',
    `device ${kind}${device.isNaive ? ' naive' : ''}`,
    heading,
    element('div', 'network', label, select, again),
    screen,
    about,
    facts,
    story,
  );
  root.setAttribute('aria-labelledby', heading.id);
  root.dataset.device = name;
  let known;
  return {
    name,
    title,
    device,
    board,
    spark,
    age,
    toast,
    toastFor: undefined,
    root,
    show: (texts) => {
      for (const [fact, text] of Object.entries(texts)) put(places.get(fact), text);
    },
    line: ({ name: now, isCut }) => {
      if (now !== known && document.activeElement !== select) select.value = now;
      known = now;
      root.dataset.cut = String(isCut);
    },
  };
}

function showGoal(card) {
  const { goal } = card.device.model;
  const nowMs = performance.now();
  if (goal !== undefined && card.toastFor !== goal.n) {
    card.toastFor = goal.n;
    card.toastUntil = nowMs + TOAST_MS;
    const late = card.device.model.goalAges.get(goal.n);
    card.toast.replaceChildren(
      element('b', '', 'Goal'),
      ` ${goal.team} ${goal.score.join('–')} `,
      element('small', '', `after ${duration(late)}`),
    );
  }
  card.toast.hidden = card.toastUntil === undefined || nowMs > card.toastUntil;
}
