// The words under the waveform at their time, a row a speaker; and where those are that were searched for.
import { clamp } from "./clock.js";
import { element } from "./dom.js";
import { lastUpTo } from "./words.js";

const ROW_PX = 20;
const MOST_ROWS = 6;
/** Where words have less room than this, their row shows only who speaks. */
const WORD_PX = 16;

export class WordRow {
	node = element("canvas", { class: "wordrow", "aria-hidden": "true" });
	#words;
	#context = /** @type {CanvasRenderingContext2D} */ (this.node.getContext("2d"));
	/** @type {Transcript | undefined} */
	#said;

	/** @param {import("./words.js").Words} words @param {(to: number) => void} seek @param {import("./drawing.js").Picture} picture */
	constructor(words, seek, picture) {
		this.#words = words;
		this.node.addEventListener("click", ({ clientX }) => {
			const at = picture.secondsAt(clientX);
			seek(this.#said?.start[words.current(at)] ?? at);
		});
	}

	/** @param {Transcript | undefined} said */
	show(said) {
		this.#said = said;
	}

	/** @param {import("./drawing.js").Picture} picture */
	layout(picture) {
		const { byTime, hits } = this.#words;
		this.node.hidden = !this.#said || !byTime.length || !picture.length;
		if (!this.#said || this.node.hidden) return;
		const { speakers, start, end, who, word } = this.#said;
		const rows = Math.min(MOST_ROWS, speakers.length) - 1;
		const [width, ratio, height] = [picture.width, window.devicePixelRatio || 1, rows * ROW_PX + 26];
		this.node.style.height = `${height}px`;
		[this.node.width, this.node.height] = [width * ratio, height * ratio];
		const context = this.#context;
		context.scale(ratio, ratio);
		context.font = "12px sans-serif";
		const text = picture.colour("text");
		const colours = speakers.map(([, role, channel]) => picture.colour(role || `channel${clamp(channel) % 2}`));
		const [first, last] = [picture.from - 10, picture.to].map((at) => lastUpTo(byTime, at, start));
		const fit = width / (last - first) >= WORD_PX;
		/** Where the last bar and the last word of each row end. @type {[number[], number[]]} */
		const [bars, texts] = [[], []];
		const x = (seconds = 0) => ((seconds - picture.from) / picture.length) * width;
		for (const i of byTime.subarray(first + 1, last + 1)) {
			const row = Math.min(rows, who[i]);
			const at = x(start[i]);
			const [left, right] = [Math.max(at, bars[row] ?? -99), Math.max(x(end[i]), at + 1)];
			// Of an hour's words there are fewer bars than pixels.
			if (right >= left + 0.5) {
				context.fillStyle = colours[who[i]];
				context.fillRect(left, row * ROW_PX + (fit ? 16 : 14), right - left - (fit ? 1 : 0), fit ? 2 : 5);
				bars[row] = right;
			}
			if (!fit || at < (texts[row] ?? -99)) continue;
			context.fillStyle = text;
			context.fillText(word[i], at, row * ROW_PX + 12);
			texts[row] = at + context.measureText(word[i]).width + 3;
		}
		context.fillStyle = text;
		const places = new Set(hits.filter((i) => start[i] >= 0).map((i) => Math.round(x(start[i]) / 2) * 2));
		for (const at of places) if (at >= 0 && at <= width) context.fill(new Path2D(`M${at} ${height - 6}l4 6h-8z`));
	}
}
