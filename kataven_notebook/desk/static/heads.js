// The heads of the list: they sort it, and give its columns their widths, by content and by hand.
import { clamp } from "./clock.js";
import { button, element } from "./dom.js";

const LEAST_PX = 48;
// What a column takes by itself; a longer text is cut until its head's edge is dragged or clicked twice.
const MOST_PX = 320;
const MOST_BY_HAND_PX = 2000;
// The space on both sides of a text, and that of the arrow beside a title.
const PADDING_PX = 24;
const ARROW_PX = 14;
const DOT_PX = 16;
// How much wider a title is than the same text in a row.
const BOLD = 1.12;
const STEP_PX = 16;
// How many rows are looked at whenever some come.
const NEWEST = 200;

/**
 * @typedef {object} HeadEvents
 * @property {(id: string) => void} sort
 * @property {(columns: string) => void} resize with what `grid-template-columns` becomes
 * @property {(column: number) => string[]} texts of the rows that are here
 * @property {() => number} room how many pixels of the list are in sight
 */

export class Heads {
	node;
	/** @type {Column[]} */
	#columns;
	#on;
	#cells;
	#buttons;
	#edges;
	/** In pixels; those that were set by hand stay. @type {number[]} */
	#widths = [];
	/** @type {Set<number>} */
	#byHand = new Set();
	#pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));

	/** @param {Column[]} columns @param {HeadEvents} on */
	constructor(columns, on) {
		this.#columns = columns;
		this.#on = on;
		this.#buttons = columns.map(({ id, title }, i) => button({
			title, tabindex: i ? -1 : 0, click: () => on.sort(id), keydown: (event) => this.#press(event, i),
			focus: () => this.#buttons.forEach((each, at) => (each.tabIndex = at === i ? 0 : -1)),
		}, title));
		this.#edges = columns.map(({ title }, i) => element("span", {
			class: "edge", role: "separator", tabindex: -1, label: `Width of ${title}`, "aria-orientation": "vertical",
			"aria-valuemin": LEAST_PX, "aria-valuemax": MOST_BY_HAND_PX, "aria-valuenow": 0,
			pointerdown: (event) => this.#drag(event, i), dblclick: () => this.fit(i),
			keydown: (event) => this.#pressEdge(event, i),
		}));
		this.#cells = columns.map(({ number, title }, i) => element("div",
			{ role: "columnheader", label: title, "aria-sort": "none", class: number ? "number" : "" }, this.#buttons[i], this.#edges[i]));
		this.node = element("div", { role: "row" }, ...this.#cells);
	}

	/** Show by which column the list is sorted. */
	show(sort = "", direction = "") {
		this.#columns.forEach(({ id }, i) => this.#cells[i].setAttribute("aria-sort", id === sort ? direction : "none"));
	}

	/** Make each column that was not set by hand as wide as what it holds; none becomes narrower. */
	grow() {
		// The short form is empty where digits are of one width.
		const { fontSize, fontFamily } = getComputedStyle(this.node);
		this.#pen.font = `${fontSize} ${fontFamily}`;
		this.#columns.forEach((_, i) => {
			const width = Math.min(MOST_PX, this.#on.room() / 2, this.#content(i, NEWEST));
			if (!this.#byHand.has(i)) this.#widths[i] = Math.max(this.#widths[i] ?? LEAST_PX, Math.floor(width));
		});
		this.#show();
	}

	/** Make a column as wide as what it holds, however wide that is. */
	fit(column = 0) {
		this.#set(column, this.#content(column));
	}

	#content(column = 0, newest = Infinity) {
		const { id, title } = this.#columns[column];
		const across = (text = "") => this.#pen.measureText(text).width;
		const texts = this.#on.texts(column).slice(-newest).map(across);
		const widest = Math.max(across(title) * BOLD + ARROW_PX, Math.max(0, ...texts) + (id === "status" ? DOT_PX : 0));
		return Math.max(LEAST_PX, Math.ceil(widest) + PADDING_PX + 1);
	}

	#set(column = 0, width = 0) {
		this.#widths[column] = clamp(Math.round(width), LEAST_PX, MOST_BY_HAND_PX);
		this.#byHand.add(column);
		this.#show();
	}

	#show() {
		this.#edges.forEach((each, i) => each.setAttribute("aria-valuenow", String(this.#widths[i])));
		// The last one takes what is left, so that the others stay where they are.
		this.#on.resize(this.#widths.map((px, i) => (i < this.#widths.length - 1 ? `${px}px` : `minmax(${px}px, 1fr)`)).join(" "));
	}

	/** Arrows go from head to head; with Shift they make a column wider. @param {KeyboardEvent} event */
	#press(event, column = 0) {
		const last = this.#columns.length - 1;
		/** @type {Record<string, number>} */
		const targets = { ArrowLeft: column - 1, ArrowRight: column + 1, Home: 0, End: last };
		if (event.shiftKey && this.#pressEdge(event, column)) return;
		if (!(event.key in targets)) return;
		this.#buttons[clamp(targets[event.key], 0, last)].focus();
		take(event);
	}

	/** @param {KeyboardEvent} event */
	#pressEdge(event, column = 0) {
		const steps = { ArrowLeft: -STEP_PX, ArrowRight: STEP_PX }[event.key];
		if (steps) this.#set(column, this.#widths[column] + steps);
		else if (event.key === "Enter") this.fit(column);
		else return false;
		take(event);
		return true;
	}

	/** @param {PointerEvent} event */
	#drag(event, column = 0) {
		const edge = this.#edges[column];
		const [from, width] = [event.clientX, this.#widths[column]];
		edge.setPointerCapture(event.pointerId);
		const move = (/** @type {PointerEvent} */ { clientX }) => this.#set(column, width + clientX - from);
		edge.addEventListener("pointermove", move);
		edge.addEventListener("lostpointercapture", () => edge.removeEventListener("pointermove", move), { once: true });
	}
}

/** The key means nothing else. @param {Event} event */
function take(event) {
	event.preventDefault();
	event.stopPropagation();
}
