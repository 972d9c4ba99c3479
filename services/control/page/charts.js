// Charts: lines over the last hour by uPlot, the histogram of backlogs and the scatter of decisions as SVG. Each has its
// meaning in words for people who do not see it. Colours come from the style sheet, so that both schemes have theirs.

import { element, keyed } from './parts.js';
import uPlot from './uplot/uPlot.esm.js';

const SVG = 'http://www.w3.org/2000/svg';
const scheme = matchMedia('(prefers-color-scheme: dark)');

/** Six colours, which repeat. */
export function colour(place) {
  return style(`--line-${(place % 6) + 1}`);
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Lines over time, one a name. */
export class LineChart {
  #title;
  #format;
  #figure;
  #place = element('div', { role: 'img' });
  #legend = element('ul', { className: 'legend' });
  #names = [];
  #plot;
  #data = [[]];

  constructor(parent, { title, format }) {
    this.#title = title;
    this.#format = format;
    this.#figure = element(
      'figure',
      { className: 'panel' },
      element('h3', {}, title),
      this.#place,
      this.#legend,
    );
    parent.append(this.#figure);
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    scheme.addEventListener('change', () => this.#rebuild());
  }

  /** `seconds`: times; `lines`: numbers or null by name. */
  show(seconds, lines) {
    const names = Object.keys(lines);
    this.#data = [seconds, ...names.map((name) => lines[name])];
    if (names.join('\n') !== this.#names.join('\n')) {
      this.#names = names;
      this.#rebuild();
    } else if (this.#plot === undefined) this.#rebuild();
    else this.#plot.setData(this.#data);
    this.#describe();
  }

  #describe() {
    const latest = this.#names.map((name, place) => [
      name,
      this.#data[place + 1].findLast((value) => value !== null),
    ]);
    const text = latest.map(([name, value]) => `${name} ${this.#format(value)}`).join(', ');
    this.#place.setAttribute(
      'aria-label',
      `${this.#title}, over the last hour; now ${text || 'nothing yet'}`,
    );
    keyed(this.#legend, latest, {
      key: ([name]) => name,
      make: ([name]) => {
        const swatch = element('span', { className: 'swatch', 'aria-hidden': 'true' });
        return element('li', {}, swatch, element('span', {}, `${name} `), element('b', {}));
      },
      update: (node, [name, value]) => {
        node.firstChild.style.background = colour(this.#names.indexOf(name));
        const said = this.#format(value);
        if (node.lastChild.textContent !== said) node.lastChild.textContent = said;
      },
    });
  }

  #resize() {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    if (this.#plot === undefined) this.#rebuild();
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height: 170 });
  }

  #rebuild() {
    this.#plot?.destroy();
    this.#plot = undefined;
    const width = this.#place.clientWidth;
    if (width === 0 || this.#data[0].length === 0) return;
    const axis = {
      stroke: style('--muted'),
      grid: { stroke: style('--rule'), width: 1 },
      ticks: { show: false },
    };
    const font = `12px ${style('--font')}`;
    this.#plot = new uPlot(
      {
        width,
        height: 170,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: true }, y: { range: (_, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [
          {
            ...axis,
            font,
            size: 28,
            space: 80,
            values: (_, all, _axis, _space, step) => all.map((value) => timeOfDay(value, step < 60)),
          },
          { ...axis, font, size: 72, values: (_, all) => labels(all, this.#format) },
        ],
        series: [
          {},
          ...this.#names.map((label, place) => ({
            label,
            stroke: colour(place),
            width: 2,
            points: { show: false },
          })),
        ],
      },
      this.#data,
      this.#place,
    );
  }
}

/** No label twice: of whole numbers there are few. */
function labels(values, format) {
  const all = values.map(format);
  return all.map((label, place) => (label === all[place - 1] ? '' : label));
}

function timeOfDay(seconds, fine) {
  const whole = new Date(seconds * 1000).toLocaleTimeString('en-GB');
  return fine ? whole : whole.slice(0, 5);
}

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** An SVG that fills its parent, drawn anew when the width changes; skipped while nothing has changed. */
class Drawing {
  constructor(parent, height) {
    this.svg = svg('svg', { role: 'img', height, 'aria-label': '' });
    this.height = height;
    parent.append(this.svg);
    new ResizeObserver(() => this.redraw()).observe(parent);
    this.parent = parent;
  }

  set(data) {
    const text = JSON.stringify(data);
    if (text === this.text) return;
    this.text = text;
    this.data = data;
    this.redraw();
  }

  redraw() {
    const width = this.parent.clientWidth;
    if (width === 0 || this.data === undefined) return;
    this.svg.setAttribute('width', width);
    this.svg.setAttribute('viewBox', `0 0 ${width} ${this.height}`);
    this.svg.replaceChildren(...this.draw(width, this.data));
  }
}

/** Shares of writes by backlog, with the pool's limits. */
export class BacklogChart extends Drawing {
  constructor(parent, title, format) {
    const place = element('div');
    parent.append(element('figure', { className: 'panel' }, element('h3', {}, title), place));
    super(place, 210);
    this.title = title;
    this.format = format;
  }

  draw(width, { backlog, softBytes, hardBytes }) {
    const [top, bottom] = [44, this.height - 26];
    const step = width / Math.max(1, backlog.length);
    const most = Math.max(0.01, ...backlog.map(([, share]) => share));
    const nodes = [];
    const said = [];
    for (const [place, [le, share]] of backlog.entries()) {
      const high = ((bottom - top) * share) / most;
      nodes.push(
        svg('rect', {
          x: place * step + 1,
          y: bottom - high,
          width: Math.max(1, step - 2),
          height: high,
          class: 'bar-fill',
        }),
      );
      if (share >= 0.005)
        said.push(`${le === null ? 'more' : `up to ${this.format(le)}`}: ${Math.round(share * 100)} %`);
    }
    nodes.push(svg('line', { x1: 0, x2: width, y1: bottom, y2: bottom, class: 'axis' }));
    const every = Math.max(1, Math.ceil(64 / step));
    for (const [place, [le]] of backlog.entries())
      if (le !== null && place % every === every - 1 && (place + 1) * step < width - 24)
        nodes.push(
          svg(
            'text',
            { x: (place + 1) * step, y: this.height - 8, 'text-anchor': 'middle' },
            this.format(le),
          ),
        );
    for (const [name, value, y] of [
      ['soft', softBytes, 14],
      ['hard', hardBytes, 32],
    ]) {
      const x = value === undefined ? undefined : placeOf(backlog, value, step);
      if (x === undefined) continue;
      nodes.push(svg('line', { x1: x, x2: x, y1: y + 4, y2: bottom, class: `limit ${name}` }));
      // The soft limit is the lower one: their words go away from each other, where there is room.
      const onLeft = name === 'soft' && x > 130;
      nodes.push(
        svg(
          'text',
          {
            x: onLeft ? x - 4 : Math.min(x + 4, width - 105),
            y,
            'text-anchor': onLeft ? 'end' : 'start',
            class: `limit-text ${name}`,
          },
          `${name} limit ${this.format(value)}`,
        ),
      );
    }
    const limits =
      softBytes === undefined
        ? ''
        : `; soft limit ${this.format(softBytes)}, hard limit ${this.format(hardBytes)}`;
    this.svg.setAttribute(
      'aria-label',
      `${this.title}: ${said.join(', ') || 'no writes in the last half minute'}${limits}`,
    );
    return nodes;
  }
}

/** Where a number of bytes is between bounds, which grow by factors. */
function placeOf(backlog, value, step) {
  let lower = 0;
  for (const [place, [le]] of backlog.entries()) {
    if (le === null || value <= le) {
      const upper = le ?? value * 2;
      const part = lower === 0 ? value / upper : Math.log(value / lower) / Math.log(upper / lower);
      return (place + Math.min(1, Math.max(0, part))) * step;
    }
    lower = le;
  }
  return undefined;
}

const SCATTER = {
  minRtt: 1,
  maxRtt: 3_000,
  minKbps: 50,
  maxKbps: 1_000_000,
  left: 74,
  right: 12,
  top: 30,
  bottom: 40,
};

/** Decisions by round trip and rate, on two logarithmic axes, with the thresholds. */
export class Scatter extends Drawing {
  constructor(parent, format) {
    super(parent, 340);
    this.format = format;
  }

  draw(width, { decisions, thresholds, pools }) {
    const s = SCATTER;
    const span = (value, min, max) =>
      (Math.log(Math.min(max, Math.max(min, value))) - Math.log(min)) / (Math.log(max) - Math.log(min));
    const x = (rtt) => s.left + span(rtt, s.minRtt, s.maxRtt) * (width - s.left - s.right);
    const y = (kbps) =>
      this.height - s.bottom - span(kbps, s.minKbps, s.maxKbps) * (this.height - s.bottom - s.top);
    const nodes = [];
    for (const rtt of width < 500 ? [1, 10, 100, 1000] : [1, 3, 10, 30, 100, 300, 1000, 3000]) {
      nodes.push(
        svg('line', { x1: x(rtt), x2: x(rtt), y1: s.top, y2: this.height - s.bottom, class: 'grid' }),
      );
      const anchor = rtt === 3000 ? 'end' : 'middle';
      nodes.push(
        svg(
          'text',
          { x: x(rtt), y: this.height - s.bottom + 16, 'text-anchor': anchor },
          this.format.ms(rtt),
        ),
      );
    }
    for (const kbps of [100, 1_000, 10_000, 100_000, 1_000_000]) {
      nodes.push(svg('line', { x1: s.left, x2: width - s.right, y1: y(kbps), y2: y(kbps), class: 'grid' }));
      nodes.push(
        svg('text', { x: s.left - 6, y: y(kbps) + 4, 'text-anchor': 'end' }, this.format.kbps(kbps)),
      );
    }
    if (thresholds !== undefined) {
      const [tx, ty] = [x(thresholds.rttMs), y(thresholds.kbps)];
      nodes.push(svg('line', { x1: tx, x2: tx, y1: s.top, y2: this.height - s.bottom, class: 'limit soft' }));
      nodes.push(
        svg(
          'text',
          { x: tx - 4, y: s.top - 8, 'text-anchor': 'end', class: 'limit-text' },
          `round trip ${this.format.ms(thresholds.rttMs)}`,
        ),
      );
      nodes.push(svg('line', { x1: s.left, x2: width - s.right, y1: ty, y2: ty, class: 'limit soft' }));
      nodes.push(
        svg(
          'text',
          { x: s.left + 4, y: ty - 5, class: 'limit-text' },
          `rate ${this.format.kbps(thresholds.kbps)}`,
        ),
      );
    }
    for (const { rttMs, kbps, pool, confidence } of decisions) {
      if (rttMs === undefined) continue;
      // Without a rate the dot is on the axis: hollow, as it is only half known.
      nodes.push(
        mark({
          x: x(rttMs),
          y: y(kbps ?? s.minKbps),
          place: pools.indexOf(pool),
          hollow: kbps === undefined || confidence === 'low',
        }),
      );
    }
    const by = pools
      .map((pool) => `${pool} ${decisions.filter((one) => one.pool === pool).length}`)
      .join(', ');
    this.svg.setAttribute(
      'aria-label',
      `The newest ${decisions.length} decisions by round trip and rate; by pool: ${by || 'none'}. The table below has each.`,
    );
    return nodes;
  }
}

/** A pool has a shape of its own, beside its colour. */
function mark({ x, y, place, hollow }) {
  const at = Math.max(0, place);
  const shape =
    at % 2 === 0
      ? svg('circle', { cx: x, cy: y, r: 4.5 })
      : svg('rect', { x: x - 4, y: y - 4, width: 8, height: 8 });
  shape.style.stroke = colour(at);
  shape.style.fill = hollow ? 'none' : colour(at);
  return shape;
}
