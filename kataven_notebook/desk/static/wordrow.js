// The words under the waveform at their time, a row a speaker; and where those are that were searched for.
import { element } from "./dom.js";
import { lastUpTo } from "./words.js";

const ROW_PX = 20;
const MOST_ROWS = 6;
/** Where words have less room than this, their row shows only who speaks. */
const WORD_PX = 16;
/** So far a word may stand behind its start. */
const MOST_LATE_PX = 10;
/** The part of the words in sight that has to find room. */
const LEAST_WRITTEN = 0.75;

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
		context.font = "11px sans-serif";
		const text = picture.colour("text");
		const colours = speakers.map(([, role, channel]) => picture.colour(role || (channel < 0 ? "faint" : `channel${channel % 2}`)));
		const [first, last] = [picture.from - 10, picture.to].map((at) => lastUpTo(byTime, at, start));
		/** Where the last bar and the last word of each row end. @type {[number[], number[]]} */
		const [bars, texts] = [[], []];
		const x = (seconds = 0) => ((seconds - picture.from) / picture.length) * width;
		/** Where each word is written that has room after those before it, in its row. @type {Map<number, number>} */
		const places = new Map();
		const all = byTime.subarray(first + 1, last + 1).filter((i) => x(Math.max(start[i], end[i])) >= 0);
		for (const i of width / all.length >= WORD_PX ? all : []) {
			const [row, at] = [Math.min(rows, who[i]), x(start[i])];
			const left = Math.max(at, texts[row] ?? -99);
			if (left > at + MOST_LATE_PX) continue;
			places.set(i, left);
			texts[row] = left + context.measureText(word[i]).width + 3;
		}
		// A sentence of which every other word is missing says something else.
		const fit = places.size > all.length * LEAST_WRITTEN;
		for (const i of all) {
			const row = Math.min(rows, who[i]);
			const at = x(start[i]);
			const [left, right] = [Math.max(at, bars[row] ?? -99), Math.max(x(end[i]), at + 1)];
			// Of an hour's words there are fewer bars than pixels.
			if (right >= left + 0.5) {
				context.fillStyle = colours[who[i]];
				context.fillRect(left, row * ROW_PX + (fit ? 16 : 14), right - left - (fit ? 1 : 0), fit ? 2 : 5);
				bars[row] = right;
			}
			if (!fit) continue;
			context.fillStyle = text;
			context.fillText(places.has(i) ? word[i] : "", places.get(i) ?? 0, row * ROW_PX + 12);
		}
		context.fillStyle = text;
		const found = new Set(hits.filter((i) => start[i] >= 0).map((i) => Math.round(x(start[i]) / 2) * 2));
		for (const at of found) if (at >= 0 && at <= width) context.fill(new Path2D(`M${at} ${height - 6}l4 6h-8z`));
	}
}
