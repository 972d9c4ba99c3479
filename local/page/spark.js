// The age of a device's newest value over the last minute, all devices in the same scale.

const SAMPLES = 120;
const LEAST_SCALE_MS = 4_000;

export class Spark {
  canvas = document.createElement('canvas');
  #samples = [];

  constructor() {
    this.canvas.className = 'spark';
    this.canvas.setAttribute('aria-hidden', 'true');
  }

  /** undefined = there is nothing yet. */
  add(ageMs) {
    this.#samples.push(ageMs);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  get highest() {
    return this.#samples.reduce((most, age) => Math.max(most, age ?? 0), LEAST_SCALE_MS);
  }

  draw(scaleMs) {
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0) return;
    const ratio = Math.min(2, devicePixelRatio);
    if (canvas.width !== Math.round(width * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext('2d');
    const { color } = getComputedStyle(canvas);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const x = (at) => width - ((this.#samples.length - 1 - at) / (SAMPLES - 1)) * width;
    const y = (age) => height - 2 - (Math.min(age, scaleMs) / scaleMs) * (height - 4);
    const path = new Path2D();
    let first;
    let last;
    this.#samples.forEach((age, at) => {
      if (age === undefined) return;
      if (first === undefined) path.moveTo(x(at), y(age));
      else path.lineTo(x(at), y(age));
      first ??= at;
      last = at;
    });
    if (first === undefined) return;
    const area = new Path2D(path);
    area.lineTo(x(last), height);
    area.lineTo(x(first), height);
    pen.fillStyle = color;
    pen.globalAlpha = 0.16;
    pen.fill(area);
    pen.globalAlpha = 1;
    pen.strokeStyle = color;
    pen.lineWidth = 2;
    pen.lineJoin = 'round';
    pen.stroke(path);
  }
}
