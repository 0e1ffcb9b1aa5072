// The picture of a call: a lane for each channel, marks above and on them, an axis below.
import { clamp, clock } from "./clock.js";
import { element } from "./dom.js";
import { drawMarks } from "./marks.js";
import { Peaks, covers, fillShape, shapeOf } from "./waves.js";

const TOP_PX = 26;
const AXIS_PX = 20;
const TICKS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
/** How much of the text's colour is in what was heard. What is still ahead keeps its colour, and so its contrast. */
const HEARD = 0.35;
/** A lane's part for the waves while it shows a spectrogram too. */
const WAVES_PART = 0.4;

const layer = () => /** @type {CanvasRenderingContext2D} */ (element("canvas", {}).getContext("2d"));

/** The finest of ticks so far apart that their times can be read; below a second 1, 2 or 5 of a decimal. */
function tickOf(least_s = 0) {
	const decimal = 10 ** Math.floor(Math.log10(least_s || 1));
	const fine = [1, 2, 5, 10].map((each) => each * decimal);
	return (least_s <= 0.5 ? fine : TICKS_S).find((each) => each >= least_s * 0.999) ?? 36000;
}

export class Picture {
	canvas = element("canvas", { "aria-hidden": "true" });
	/** Is never seen: the browser computes the colours of the style sheet on it. */
	probe = element("i", {});
	/** The part of the call that is drawn, in seconds. */
	from = 0;
	to = 0;
	/** Where the lanes stand, in pixels. */
	top = TOP_PX;
	lane = 60;
	lanes = 1;
	/** How much higher than by themselves all lanes are drawn. */
	height = 1;
	/** Finer peaks of the part in sight. @type {Detail | undefined} */
	detail;
	/** @type {import("./spectrogram.js").Spectrogram | undefined} */
	spectrogram;
	width = 0;
	#shown = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
	/** The waves apart from marks and axis: so the cursor passes, and nothing is drawn anew. */
	#waves = layer();
	#above = layer();
	#ratio = 1;
	/** Up to where the sound is drawn as heard, in the canvas' own pixels. */
	#heard = 0;
	/** @type {Map<string, string>} */
	#colours = new Map();
	/** @type {Peaks[]} */
	#peaks = [];

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

	/** How much higher than recorded a lane is drawn. */
	gain(lane = 0) {
		return (this.#peaks[lane]?.gain ?? 1) * this.height;
	}

	/** The loudest of a part of a channel, as high as it is drawn by itself; 0 where nothing is known. */
	loudest(lane = 0, from = 0, to = 0, rate = 0) {
		const peaks = this.#peaks[lane];
		return peaks ? peaks.amplitude(Math.floor(from * rate), Math.ceil(to * rate)) * peaks.gain : 0;
	}

	/** Take the peaks that have come, and the colours of the theme. @param {Call | undefined} call */
	renew(call) {
		this.#colours.clear();
		this.#peaks = (call?.peaks ?? []).map((bins) => new Peaks(bins));
		this.lanes = Math.max(1, call?.channels ?? 1);
		this.spectrogram?.renew(this);
	}

	/** @param {Call | undefined} call */
	draw(call, at = 0) {
		const { canvas, lanes } = this;
		this.lane = parseFloat(getComputedStyle(canvas).getPropertyValue("--lane")) || 60;
		const height = TOP_PX + lanes * this.lane + AXIS_PX;
		canvas.style.height = `${height}px`;
		[this.width, this.#ratio] = [canvas.clientWidth, window.devicePixelRatio || 1];
		for (const { canvas: each } of [this.#shown, this.#waves, this.#above])
			[each.width, each.height] = [Math.round(this.width * this.#ratio), Math.round(height * this.#ratio)];
		this.#heard = 0;
		if (!this.length || !canvas.width) return;
		for (const context of [this.#waves, this.#above]) {
			context.scale(this.#ratio, this.#ratio);
			context.font = "11px sans-serif";
		}
		for (let lane = 0; lane < lanes; lane++) this.#drawLane(call, lane);
		drawMarks(this, this.#above, call?.marks ?? [], { top: TOP_PX, lane: this.lane, count: lanes });
		this.#drawAxis(height);
		this.#paint(0, canvas.width);
		this.hear(at);
	}

	/** Draw what was heard, up to the listener's place, in a stronger shade. */
	hear(at = 0) {
		const to = Math.round(clamp(this.x(at), 0, this.width) * this.#ratio);
		this.#paint(Math.min(to, this.#heard), Math.max(to, this.#heard), to > this.#heard);
		this.#heard = to;
	}

	#paint(from = 0, to = 0, isHeard = false) {
		const part = /** @type {const} */ ([from, 0, to - from, this.canvas.height]);
		if (to <= from || !part[3]) return;
		this.#shown.clearRect(...part);
		this.#shown.drawImage(this.#waves.canvas, ...part, ...part);
		if (isHeard) {
			this.#shown.globalCompositeOperation = "source-atop";
			this.#shown.globalAlpha = HEARD;
			this.#shown.fillStyle = this.colour("text");
			this.#shown.fillRect(...part);
			this.#shown.globalAlpha = 1;
			this.#shown.globalCompositeOperation = "source-over";
		}
		this.#shown.drawImage(this.#above.canvas, ...part, ...part);
	}

	/** @param {Call | undefined} call */
	#drawLane(call, lane = 0) {
		const peaks = this.#peaks[lane];
		const { bins_per_s: rate = 100, speech = [], roles = [] } = call ?? {};
		const side = `channel${lane % 2}`;
		const [loud, quiet] = [this.colour(roles[lane] || side), this.colour("quiet")];
		const high = this.lane * (this.spectrogram ? WAVES_PART : 1);
		const [top, middle] = [TOP_PX + lane * this.lane, TOP_PX + lane * this.lane + high / 2];
		this.spectrogram?.draw(this.#above, this, lane, top + high, this.lane - high - 3);
		if (!peaks) {
			// Sound that nobody has looked at is no silence.
			this.#above.fillStyle = this.colour("faint");
			this.#above.fillText(call?.wave ?? "", 4, middle + 4, this.width - 8);
			return;
		}
		const detail = covers(this.detail, this.from, this.to) ? this.detail : undefined;
		const pixels = this.width * this.#ratio;
		const shape = shapeOf({ from: this.from, to: this.to, pixels }, peaks, rate, detail, lane);
		const place = { x: (at = 0) => this.x(at), middle, half: high / 2 - 4, gain: this.gain(lane), isLine: Boolean(detail) };
		const turns = speech[lane] ?? [];
		let turn = 0;
		fillShape(this.#waves, shape, place, (from = 0, to = 0) => {
			while (turn < turns.length && turns[turn][1] < from) turn++;
			return !turns.length || turns[turn]?.[0] <= to ? loud : quiet;
		});
		// Speech is told from pauses by a line too, not by colour alone.
		this.#waves.fillStyle = loud;
		for (const [start, end] of turns) this.#waves.fillRect(this.x(start), top + high - 3, this.x(end) - this.x(start), 2);
	}

	#drawAxis(height = 0) {
		const context = this.#above;
		const tick = tickOf((64 / this.width) * this.length);
		const digits = tick < 1 ? Math.ceil(-Math.log10(tick) - 1e-6) : 0;
		context.fillStyle = this.colour("faint");
		for (let i = Math.ceil(this.from / tick); i * tick <= this.to; i++) {
			const text = clock(i * tick, digits);
			const across = context.measureText(text).width;
			context.fillRect(Math.round(this.x(i * tick)), height - 18, 1, 4);
			context.fillText(text, clamp(this.x(i * tick) - across / 2, 0, this.width - across), height - 3);
		}
	}

	/** A colour of the style sheet, as the theme has it now. */
	colour(name = "") {
		let colour = this.#colours.get(name);
		if (colour === undefined) {
			this.probe.style.color = `var(--${name})`;
			this.#colours.set(name, (colour = getComputedStyle(this.probe).color));
		}
		return colour;
	}
}
