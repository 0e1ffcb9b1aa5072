// The regions of labels over the waveform: each has a flag to choose and move it by, and a handle at either end.
import { clamp, clock, spanText } from "./clock.js";
import { button, div, element, setPressed } from "./dom.js";

const FLAG_PX = 20;
const MAX_FLAG_PX = 150;
const LETTER_PX = 7;
const MAX_FLAG_ROWS = 5;
const CLICK_PX = 4;
const STEP_S = 0.1;
const FINE_STEP_S = 0.02;
const MIN_REGION_S = 0.02;

/** The parts of a region: which of its edges move with them. @typedef {"flag" | "start" | "end"} Part */
/** @typedef {{node: HTMLElement, flag: HTMLElement, start: HTMLElement, end: HTMLElement, name: string, span: Span}} Region */

/**
 * @typedef {object} RegionEvents
 * @property {(id: string) => void} select
 * @property {(id: string, to: Span) => void} move
 * @property {() => void} hear what is selected
 * @property {() => void} leave take the focus
 */

export class Regions {
	#node = div("regions");
	#timeline;
	#on;
	/** @type {Map<string, Region>} */
	#regions = new Map();
	#selected = "";
	/** What is on the move, by pointer or key: where it was, and where it is. @type {{id: string, part: Part, x?: number, from: Span, to: Span} | undefined} */
	#moving;

	/** @param {import("./timeline.js").Timeline} timeline @param {RegionEvents} on */
	constructor(timeline, on) {
		this.#timeline = timeline;
		this.#on = on;
		timeline.over.append(this.#node);
		timeline.layers.push(this);
		let x = 0;
		timeline.wave.addEventListener("pointerdown", (event) => (x = event.clientX));
		timeline.wave.addEventListener("click", (event) => Math.abs(event.clientX - x) < CLICK_PX && this.#pick(event.clientX));
	}

	/** @param {Decision[]} decisions those with a region, in the order of the list */
	show(decisions, selected = "") {
		this.#selected = selected;
		const had = this.#node.contains(/** @type {Document} */ (this.#node.getRootNode()).activeElement);
		for (const [id, { node }] of this.#regions)
			if (!decisions.some((each) => each.id === id)) {
				node.remove();
				this.#regions.delete(id);
				if (this.#moving?.id === id) this.#moving = undefined;
			}
		for (const { id, label, start_s, end_s } of decisions) {
			const region = this.#regions.get(id) ?? this.#made(id);
			region.span = { start: start_s ?? 0, end: end_s ?? 0 };
			region.name = label || "note";
			region.flag.textContent = region.name;
			this.#describe(region, region.span);
			region.node.classList.toggle("on", id === selected);
			setPressed(region.flag, id === selected);
			for (const part of [region.flag, region.start, region.end]) part.tabIndex = id === selected ? 0 : -1;
		}
		if (had && !this.#node.contains(/** @type {Document} */ (this.#node.getRootNode()).activeElement)) this.#on.leave();
		this.layout();
	}

	/** Place all of them. */
	layout() {
		const { picture } = this.#timeline;
		this.#node.hidden = !picture.length;
		if (!picture.length) return;
		/** Where each row of flags ends. @type {number[]} */
		const ends = [];
		const sorted = [...this.#regions].sort(([, a], [, b]) => a.span.start - b.span.start);
		for (const [id, region] of sorted) {
			const { start, end } = this.#moving?.id === id ? this.#moving.to : region.span;
			const [left, right] = [picture.x(start), picture.x(end)];
			region.node.style.cssText = `left:${left}px;width:${Math.max(2, right - left)}px`;
			// The flag stays in sight while a part of its region is.
			const at = clamp(0, left, Math.max(left, right - FLAG_PX));
			let row = ends.findIndex((each) => each <= at);
			if (row < 0) row = ends.length < MAX_FLAG_ROWS ? ends.length : 0;
			ends[row] = at + Math.min(MAX_FLAG_PX, 16 + region.name.length * LETTER_PX);
			region.flag.style.cssText = `left:${at - left}px;top:${row * FLAG_PX}px`;
		}
	}

	/** Give a region the focus; return whether there is one of this id. */
	focus(id = "") {
		const region = this.#regions.get(id);
		if (!region) return false;
		const { picture } = this.#timeline;
		const { start, end } = region.span;
		if (end < picture.from || start > picture.to) this.#timeline.point(start, true);
		region.flag.focus({ preventScroll: true });
		return true;
	}

	/** Act on a key of a region that has the focus; return whether there was one. @param {KeyboardEvent} event */
	press(event) {
		const [id, part] = this.#partOf(event.target);
		const region = this.#regions.get(id);
		if (!region) return false;
		const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
		if (step) {
			const from = this.#moving?.to ?? region.span;
			this.#moving = { id, part, from, to: from };
			this.#drag(step * (event.shiftKey ? FINE_STEP_S : STEP_S));
		} else if (event.key === "Enter") this.#on.hear();
		else return false;
		event.preventDefault();
		return true;
	}

	/** @returns {Region} */
	#made(id = "") {
		// A pointer that goes down takes the focus from what had it, and settles where it goes up.
		const key = () => this.#moving?.x === undefined && this.#settle();
		const settle = { keyup: key, blur: key };
		const grip = (/** @type {Part} */ part) => element("div", { class: `grip ${part}`, role: "slider", ...settle });
		const [start, end] = [grip("start"), grip("end")];
		const hear = () => {
			this.#on.select(id);
			this.#on.hear();
		};
		const click = (/** @type {MouseEvent} */ event) => !event.detail && this.#on.select(id);
		const flag = button({ class: "flag", click, dblclick: hear, ...settle });
		const node = element("div", { class: "span" }, flag, start, end);
		node.dataset.id = id;
		node.addEventListener("pointerdown", (event) => this.#grab(event));
		node.addEventListener("pointermove", (event) => this.#pull(event));
		for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, () => this.#settle());
		this.#node.append(node);
		const region = { node, flag, start, end, name: "", span: { start: 0, end: 0 } };
		this.#regions.set(id, region);
		return region;
	}

	/** @param {Region} region @param {Span} span */
	#describe({ flag, start, end, name }, span) {
		flag.setAttribute("aria-label", `${name}, ${spanText(span)}`);
		flag.title = `${name}, ${spanText(span)}`;
		const edges = /** @type {const} */ ([[start, "Start", span.start], [end, "End", span.end]]);
		for (const [node, edge, seconds] of edges) {
			node.setAttribute("aria-label", `${edge} of ${name}`);
			node.setAttribute("aria-valuemin", "0");
			node.setAttribute("aria-valuemax", this.#timeline.duration.toFixed(1));
			node.setAttribute("aria-valuenow", seconds.toFixed(2));
			node.setAttribute("aria-valuetext", clock(seconds, 1));
		}
	}

	/** @param {EventTarget | null} target @returns {[id: string, part: Part]} */
	#partOf(target) {
		const node = /** @type {HTMLElement} */ (target);
		const part = node.classList.contains("start") ? "start" : node.classList.contains("end") ? "end" : "flag";
		return [/** @type {HTMLElement | null} */ (node.closest(".span"))?.dataset.id ?? "", part];
	}

	/** @param {PointerEvent} event */
	#grab(event) {
		const [id, part] = this.#partOf(event.target);
		const region = this.#regions.get(id);
		if (event.button || !region) return;
		this.#on.select(id);
		/** @type {HTMLElement} */ (event.target).setPointerCapture(event.pointerId);
		this.#moving = { id, part, x: event.clientX, from: region.span, to: region.span };
	}

	/** @param {PointerEvent} event */
	#pull(event) {
		const [{ picture }, { x, from, to }] = [this.#timeline, this.#moving ?? {}];
		if (x === undefined || (to === from && Math.abs(event.clientX - x) < CLICK_PX)) return;
		this.#drag(picture.secondsAt(event.clientX) - picture.secondsAt(x));
	}

	/** Show what is moving so many seconds from where it was. */
	#drag(by_s = 0) {
		if (!this.#moving) return;
		const { part, from } = this.#moving;
		let { start, end } = from;
		// One that lies beyond the call, as another version of the file had it, keeps its length.
		const last = Math.max(this.#timeline.duration, end);
		if (part === "start") start = clamp(start + by_s, 0, end - MIN_REGION_S);
		else if (part === "end") end = clamp(end + by_s, start + MIN_REGION_S, last);
		else {
			const by = clamp(by_s, -start, last - end);
			[start, end] = [start + by, end + by];
		}
		this.#moving.to = { start, end };
		const region = this.#regions.get(this.#moving.id);
		if (region) this.#describe(region, this.#moving.to);
		this.layout();
	}

	/** Leave what was moved where it is. */
	#settle() {
		const moved = this.#moving;
		this.#moving = undefined;
		if (moved && moved.to !== moved.from) this.#on.move(moved.id, moved.to);
		else if (moved) this.layout();
	}

	/** A click on the waveform chooses the region under it, the shortest first, and one that holds it with the next. */
	#pick(clientX = 0) {
		const at = this.#timeline.picture.secondsAt(clientX);
		const found = [...this.#regions].filter(([, { span }]) => span.start <= at && at <= span.end);
		found.sort(([, { span: a }], [, { span: b }]) => a.end - a.start - (b.end - b.start));
		const next = found.findIndex(([id]) => id === this.#selected) + 1;
		this.#on.select(found.length ? found[next % found.length][0] : "");
	}
}
