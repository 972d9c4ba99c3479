// The live map: router, pools, shards, and each client as a dot that flies to where it is served.
import { layout } from '/map-layout.js';
import { bytes, count, isStill, put } from '/show.js';

const FLIGHT_MS = 900;
/** Clients of a flight leave one after the other. */
const STAGGER_MS = 500;
const MOST_DOTS = 1_200;
/** Per client: what is under way between two proofs of delivery, and the backlog at which a shard is as warm as it gets. */
const USUAL_BYTES = 24_000;
const HOT_BYTES = 64_000;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

export class ClusterMap {
  #canvas;
  #text;
  #shards = new Map();
  /** Dots that leave: they fade. */
  #leaving = [];
  #router = { up: true, redirected: 0, perSecond: 0 };
  #colours;
  #seenMs = 0;
  #isVisible = true;

  constructor({ canvas, text, live }) {
    this.#canvas = canvas;
    this.#text = text;
    live.on('view', (view) => this.#see(view));
    new IntersectionObserver(([entry]) => {
      this.#isVisible = entry.isIntersecting;
    }).observe(canvas);
    const frame = (nowMs) => {
      if (this.#isVisible) this.#draw(nowMs);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Dots on the map, for tests. */
  get dots() {
    return [...this.#shards.values()].reduce((sum, { dots }) => sum + dots.length, 0);
  }

  #see({ shards, router }) {
    const nowMs = performance.now();
    const place = this.#layout(shards);
    const total = shards.reduce((sum, { connections }) => sum + connections, 0);
    const perDot = Math.max(1, Math.ceil(total / MOST_DOTS));
    const free = [];
    for (const view of shards) {
      const known = this.#shards.get(view.id) ?? { dots: [] };
      Object.assign(known, view);
      this.#shards.set(view.id, known);
      const wanted = Math.round(view.connections / perDot);
      if (known.dots.length > wanted) free.push(...known.dots.splice(wanted));
    }
    for (const shard of this.#shards.values()) {
      const wanted = Math.round(shard.connections / perDot);
      const missing = wanted - shard.dots.length;
      for (let n = 0; n < missing; n += 1) {
        const dot = free.pop() ?? { x: place.router.x, y: place.router.y };
        shard.dots.push(dot);
        fly(dot, nowMs + (n / missing) * STAGGER_MS);
      }
    }
    for (const dot of free) this.#leaving.push(Object.assign(dot, { goneMs: nowMs }));
    const seconds = (nowMs - this.#seenMs) / 1_000;
    this.#router = {
      ...router,
      perSecond:
        this.#seenMs === 0 ? 0 : Math.max(0, (router.redirected - this.#router.redirected) / seconds),
    };
    this.#seenMs = nowMs;
    this.#colours = coloursOf(this.#canvas);
    const parts = shards.map(
      ({ id, up, draining, connections }) =>
        `${id} ${up ? count(connections) : draining ? 'drains' : 'is down'}`,
    );
    if (!this.#isVisible) this.#draw(nowMs); // a print or a picture of the whole page shows it too
    put(
      this.#text,
      `${people(total)}: ${parts.join(', ')}${perDot > 1 ? `; a dot is ${perDot} clients` : ''}`,
    );
  }

  #layout(shards) {
    const { clientWidth, clientHeight } = this.#canvas;
    return layout({ width: clientWidth, height: clientHeight, shards: [...shards] });
  }

  #draw(nowMs) {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (this.#colours === undefined || width === 0) return;
    const ratio = Math.min(2, devicePixelRatio);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const place = this.#layout(this.#shards.values());
    this.#drawPools(pen, place);
    for (const shard of this.#shards.values()) this.#drawShard(pen, shard, place.shards.get(shard.id));
    this.#drawRouter(pen, place.router);
    for (const shard of this.#shards.values()) this.#drawDots(pen, shard, place.shards.get(shard.id), nowMs);
    this.#drawLeaving(pen, nowMs);
  }

  #drawPools(pen, { pools, router }) {
    const { line, soft } = this.#colours;
    for (const { name, x, y, width, height } of pools) {
      pen.strokeStyle = line;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(router.x, router.y);
      const [toX, toY] = x > router.x ? [x, y + height / 2] : [x + width / 2, y];
      pen.lineTo(toX, toY);
      pen.stroke();
      pen.beginPath();
      pen.roundRect(x, y, width, height, 14);
      pen.stroke();
      pen.fillStyle = soft;
      pen.font = '600 13px system-ui, sans-serif';
      pen.textAlign = 'left';
      pen.fillText(name, x + 12, y + 20);
    }
  }

  #drawShard(pen, { id, up, draining, connections, backlogBytes }, { x, y, radius }) {
    const { cold, hot, card, ink, soft, bad } = this.#colours;
    const perClient = backlogBytes / Math.max(1, connections);
    const warmth = Math.min(1, Math.max(0, perClient - USUAL_BYTES) / HOT_BYTES);
    pen.beginPath();
    pen.arc(x, y, radius, 0, Math.PI * 2);
    pen.fillStyle = card;
    pen.fill();
    pen.globalAlpha = 0.1 + warmth * 0.4;
    pen.fillStyle = warmth > 0 ? hot : cold;
    pen.fill();
    pen.globalAlpha = 1;
    pen.setLineDash(up && !draining ? [] : [5, 5]);
    pen.strokeStyle = up ? (draining ? hot : cold) : bad;
    pen.lineWidth = 2;
    pen.stroke();
    pen.setLineDash([]);
    pen.textAlign = 'center';
    pen.fillStyle = ink;
    pen.font = '600 13px system-ui, sans-serif';
    pen.fillText(id, x, y + radius + 18);
    pen.fillStyle = up ? soft : bad;
    pen.font = '12px system-ui, sans-serif';
    const lines =
      draining && up ? ['drains'] : up ? [people(connections), `${bytes(backlogBytes)} under way`] : ['down'];
    for (const [at, line] of lines.entries()) pen.fillText(line, x, y + radius + 34 + at * 15);
  }

  #drawRouter(pen, { x, y, size }) {
    const { ink, soft, card, cold, bad } = this.#colours;
    pen.save();
    pen.translate(x, y);
    pen.rotate(Math.PI / 4);
    pen.beginPath();
    pen.roundRect(-size / 2, -size / 2, size, size, 6);
    pen.fillStyle = card;
    pen.fill();
    pen.strokeStyle = this.#router.up ? cold : bad;
    pen.lineWidth = 2.5;
    pen.stroke();
    pen.restore();
    pen.textAlign = 'center';
    pen.fillStyle = ink;
    pen.font = '600 13px system-ui, sans-serif';
    pen.fillText('router', x, y + size + 12);
    pen.fillStyle = soft;
    pen.font = '12px system-ui, sans-serif';
    pen.fillText(this.#router.up ? `${count(this.#router.perSecond)} redirects/s` : 'down', x, y + size + 28);
  }

  #drawDots(pen, { dots, pool, notLive }, { x, y, radius }, nowMs) {
    const { desktop, mobile, hot } = this.#colours;
    const size = dots.length > 150 ? 2.2 : dots.length > 40 ? 3 : 4.5;
    const spread = Math.min(14, (radius - 6) / Math.sqrt(dots.length + 1));
    const colour = pool === 'mobile' ? mobile : desktop;
    for (let at = 0; at < dots.length; at += 1) {
      const dot = dots[at];
      const distance = spread * Math.sqrt(at + 0.5);
      const toX = x + distance * Math.cos(at * GOLDEN);
      const toY = y + distance * Math.sin(at * GOLDEN);
      const isFlying = step(dot, toX, toY, nowMs);
      pen.fillStyle = at < notLive ? hot : colour;
      pen.beginPath();
      pen.arc(dot.x, dot.y, isFlying ? size + 1.2 : size, 0, Math.PI * 2);
      pen.fill();
    }
  }

  #drawLeaving(pen, nowMs) {
    this.#leaving = this.#leaving.filter(({ goneMs }) => nowMs - goneMs < FLIGHT_MS);
    pen.fillStyle = this.#colours.bad;
    for (const dot of this.#leaving) {
      pen.globalAlpha = 1 - (nowMs - dot.goneMs) / FLIGHT_MS;
      pen.beginPath();
      pen.arc(dot.x, dot.y - ((nowMs - dot.goneMs) / FLIGHT_MS) * 20, 3, 0, Math.PI * 2);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }
}

const people = (clients) => `${count(clients)} ${clients === 1 ? 'client' : 'clients'}`;

function fly(dot, startMs) {
  dot.fromX = dot.x;
  dot.fromY = dot.y;
  dot.startMs = isStill() ? 0 : startMs;
}

/** Moves a dot towards its place; whether it is still on its way. */
function step(dot, toX, toY, nowMs) {
  const part = Math.min(1, Math.max(0, (nowMs - dot.startMs) / FLIGHT_MS));
  if (part >= 1) {
    // Its place changes as others come and go: it follows softly.
    const share = isFar(dot, toX, toY) ? 0.2 : 1;
    dot.x += (toX - dot.x) * share;
    dot.y += (toY - dot.y) * share;
    return false;
  }
  const eased = part * part * (3 - 2 * part);
  dot.x = dot.fromX + (toX - dot.fromX) * eased;
  dot.y = dot.fromY + (toY - dot.fromY) * eased - Math.sin(Math.PI * eased) * 28;
  return true;
}

const isFar = ({ x, y }, toX, toY) => Math.abs(x - toX) + Math.abs(y - toY) > 1;

function coloursOf(canvas) {
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: colour('ink'),
    soft: colour('soft'),
    line: colour('line'),
    card: colour('card'),
    cold: colour('water'),
    hot: colour('wait'),
    bad: colour('bad'),
    desktop: colour('water'),
    mobile: colour('mobile'),
  };
}
