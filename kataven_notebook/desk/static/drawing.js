// The picture of a call: a lane for each channel, marks above and on them, an axis below.
import { clamp, clock } from "./clock.js";
import { element } from "./dom.js";
import { drawMarks } from "./marks.js";

export const LANE_PX = 60;
const TOP_PX = 26;
const AXIS_PX = 20;
const BAR_PX = 3;
const TICKS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const MAX_GAIN = 6;

export class Picture {
	canvas = element("canvas", { "aria-hidden": "true" });
	/** Is never seen: the browser computes the colours of the style sheet on it. */
	probe = element("i", {});
	/** The part of the call that is drawn, in seconds. */
	from = 0;
	to = 0;
	#context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
	/** The axis' colour when it was drawn: another one means another theme. */
	#axisColour = "";

	get width() {
		return this.canvas.clientWidth;
	}

	get length() {
		return this.to - this.from;
	}

	/** The pixel of a time. */
	x(seconds = 0) {
		return ((seconds - this.from) / (this.length || 1)) * this.width;
	}

	/** The time under a pointer. */
	secondsAt(clientX = 0) {
		const across = clientX - this.canvas.getBoundingClientRect().left;
		return this.from + (across / (this.width || 1)) * this.length;
	}

	isOnAxis(clientY = 0) {
		return clientY > this.canvas.getBoundingClientRect().bottom - AXIS_PX;
	}

	isOfOtherTheme() {
		return this.colour("faint") !== this.#axisColour;
	}

	/** @param {Call | undefined} call */
	draw(call) {
		const lanes = call?.channels ?? 1;
		const [height, ratio] = [TOP_PX + lanes * LANE_PX + AXIS_PX, window.devicePixelRatio || 1];
		this.canvas.style.height = `${height}px`;
		[this.canvas.width, this.canvas.height] = [this.width * ratio, height * ratio];
		if (!this.length) return;
		this.#context.scale(ratio, ratio);
		this.#context.font = "11px sans-serif";
		for (let lane = 0; lane < lanes; lane++) this.#drawLane(call, lane);
		drawMarks(this, this.#context, call?.marks ?? [], { top: TOP_PX, lane: LANE_PX, count: lanes });
		this.#drawAxis(height);
	}

	/** @param {Call | undefined} call */
	#drawLane(call, lane = 0) {
		const { peaks, bins_per_s: rate = 100, loudest = 1 } = call ?? {};
		const speech = call?.speech?.[lane] ?? [];
		const middle = TOP_PX + (lane + 0.5) * LANE_PX;
		const [loud, quiet] = [this.colour(`channel${lane % 2}`), this.colour("quiet")];
		const perPx = this.length / this.width;
		const gain = Math.min(MAX_GAIN, 1 / Math.max(0.01, loudest));
		let turn = 0;
		for (let at = 0; at < this.width; at += BAR_PX) {
			const [from, to] = [this.from + at * perPx, this.from + (at + BAR_PX) * perPx];
			let [top, bin] = [0, Math.floor(from * rate)];
			do top = Math.max(top, peaks?.[lane]?.[bin] ?? 0);
			while (++bin < to * rate);
			while (turn < speech.length && speech[turn][1] < from) turn++;
			this.#context.fillStyle = !speech.length || speech[turn]?.[0] <= to ? loud : quiet;
			// The kernel sends the root of the amplitude, which a byte resolves better.
			const half = clamp((top / 255) ** 2 * gain, 0.01, 1) * (LANE_PX / 2 - 4);
			this.#context.fillRect(at, middle - half, BAR_PX - 1, 2 * half);
		}
	}

	#drawAxis(height = 0) {
		const tick = TICKS_S.find((each) => (each / this.length) * this.width >= 64) ?? 7200;
		this.#context.fillStyle = this.#axisColour = this.colour("faint");
		for (let i = Math.ceil(this.from / tick); i * tick <= this.to; i++) {
			const text = clock(i * tick, tick < 1 ? 1 : 0);
			const across = this.#context.measureText(text).width;
			this.#context.fillRect(Math.round(this.x(i * tick)), height - 18, 1, 4);
			this.#context.fillText(text, clamp(this.x(i * tick) - across / 2, 0, this.width - across), height - 3);
		}
	}

	/** A colour of the style sheet, as the theme has it now. */
	colour(name = "") {
		this.probe.style.color = `var(--${name})`;
		return getComputedStyle(this.probe).color;
	}
}
