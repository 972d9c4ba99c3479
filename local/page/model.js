// What one device knows of the market: values, how old they are, what it skipped, and which goals it has had.

export class Model {
  values = new Map();
  skipped = 0;
  newestAt;
  goals = 0;
  lost = 0;
  lastGoal;
  /** The newest goal, and how old each of the last ones was when it came. */
  goal;
  goalAges = new Map();
  /** Number of the last goal before this device listened; undefined while it has not. */
  base;
  #heardMs;
  #silenceMs = 0;
  #lostAtMark = 0;

  /** A value of the state lane. */
  value(key, quote) {
    const before = this.values.get(key);
    if (before !== undefined && quote.n > before.n + 1) this.skipped += quote.n - before.n - 1;
    this.values.set(key, quote);
    if (this.newestAt === undefined || quote.at > this.newestAt) this.newestAt = quote.at;
  }

  /** Some values have just come. */
  heard() {
    const nowMs = performance.now();
    this.#silenceMs = Math.max(this.#silenceMs, nowMs - (this.#heardMs ?? nowMs));
    this.#heardMs = nowMs;
  }

  /** A critical message; `now` is the clock of the publisher. */
  score(goal, now) {
    if (this.lastGoal !== undefined && goal.n <= this.lastGoal) return;
    if (this.lastGoal !== undefined) this.lost += goal.n - this.lastGoal - 1;
    this.lastGoal = goal.n;
    this.base ??= goal.n - 1;
    this.goals += 1;
    this.goal = goal;
    this.goalAges.set(goal.n, now - goal.at);
    if (this.goalAges.size > 20) this.goalAges.delete(this.goalAges.keys().next().value);
  }

  /** Silence and losses count from here on. */
  mark() {
    this.#silenceMs = 0;
    this.#heardMs = this.#heardMs === undefined ? undefined : performance.now();
    this.#lostAtMark = this.lost;
  }

  sinceMark() {
    const nowMs = performance.now();
    const silenceMs = Math.max(this.#silenceMs, nowMs - (this.#heardMs ?? nowMs));
    return { silenceMs, lost: this.lost - this.#lostAtMark };
  }

  /** How many goals were published since this device listens. */
  sent(newest) {
    return this.base === undefined ? 0 : Math.max(this.goals + this.lost, newest - this.base);
  }
}
