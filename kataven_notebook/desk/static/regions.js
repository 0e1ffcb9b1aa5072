// The regions of labels over the waveform: each has a flag to choose and move it by, and a handle at either end.
import { clamp, clock, spanText } from "./clock.js";
import { button, div, element, setPressed } from "./dom.js";

const FLAG_PX = 20;
const LETTER_PX = 7;
const FLAG_ROWS = 5;
const CLICK_PX = 4;
const MIN_REGION_S = 0.02;
const [STEP_S, FINE_STEP_S] = [0.1, 0.02];
/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

/** What is taken hold of. @typedef {"flag" | "start" | "end"} Part */
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
	/** What is on the move, by key or from a pixel: where it was, and where it is. */
	/** @type {{id: string, part: Part, x?: number, from: Span, to: Span} | undefined} */
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
		const page = /** @type {Document} */ (this.#node.getRootNode());
		const hadFocus = this.#node.contains(page.activeElement);
		for (const [id, { node }] of this.#regions)
			if (!decisions.some((each) => each.id === id)) {
				node.remove();
				this.#regions.delete(id);
			}
		for (const { id, label, start_s, end_s } of decisions) {
			const [region, isChosen] = [this.#regions.get(id) ?? this.#made(id), id === selected];
			region.span = { start: start_s ?? 0, end: end_s ?? 0 };
			region.name = region.flag.textContent = label || "note";
			region.node.classList.toggle("on", isChosen);
			setPressed(region.flag, isChosen);
			for (const part of [region.flag, region.start, region.end]) part.tabIndex = isChosen ? 0 : -1;
			describe(region, region.span, this.#timeline.duration);
		}
		if (hadFocus && !this.#node.contains(page.activeElement)) this.#on.leave();
		this.layout();
	}

	/** Place all of them. */
	layout() {
		const { picture } = this.#timeline;
		this.#node.hidden = !picture.length;
		/** Where each row of flags ends. @type {number[]} */
		const ends = [];
		for (const [id, region] of [...this.#regions].sort(([, a], [, b]) => a.span.start - b.span.start)) {
			const { start, end } = this.#moving?.id === id ? this.#moving.to : region.span;
			const [left, right] = [picture.x(start), picture.x(end)];
			region.node.style.cssText = `left:${left}px;width:${Math.max(2, right - left)}px`;
			// The flag stays in sight while a part of its region is.
			const at = clamp(0, left, Math.max(left, right - FLAG_PX));
			let row = ends.findIndex((each) => each <= at);
			if (row < 0) row = ends.length % FLAG_ROWS;
			ends[row] = at + FLAG_PX + region.name.length * LETTER_PX;
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
		const { id, part, region } = this.#held(event);
		const step = STEPS[event.key];
		if (!region || !(step || event.key === "Enter")) return false;
		event.preventDefault();
		if (step) {
			const from = this.#moving?.to ?? region.span;
			this.#moving = { id, part, from, to: from };
			this.#drag(step * (event.shiftKey ? FINE_STEP_S : STEP_S));
		} else this.#on.hear();
		return true;
	}

	#made(id = "") {
		// A pointer that goes down takes the focus from what had it, and settles where it goes up.
		const settleKey = () => this.#moving?.x === undefined && this.#settle();
		const settles = { keyup: settleKey, blur: settleKey };
		const grip = (/** @type {Part} */ part) =>
			element("div", { class: `grip ${part}`, "data-part": part, role: "slider", ...settles });
		const dblclick = () => {
			this.#on.select(id);
			this.#on.hear();
		};
		const click = (/** @type {MouseEvent} */ event) => !event.detail && this.#on.select(id);
		const [flag, start, end] = [button({ class: "flag", "data-part": "flag", click, dblclick, ...settles }), grip("start"), grip("end")];
		const pointer = {
			pointerdown: (/** @type {PointerEvent} */ event) => this.#grab(event),
			pointermove: (/** @type {PointerEvent} */ event) => this.#pull(event),
			pointerup: () => this.#settle(),
			pointercancel: () => this.#settle(),
		};
		const node = element("div", { class: "span", "data-id": id, ...pointer }, flag, start, end);
		this.#node.append(node);
		const region = { node, flag, start, end, name: "", span: { start: 0, end: 0 } };
		this.#regions.set(id, region);
		return region;
	}

	/** @param {Event} event */
	#held({ target }) {
		const node = /** @type {HTMLElement} */ (target);
		const id = node.parentElement?.dataset.id ?? "";
		return { node, id, part: /** @type {Part} */ (node.dataset.part), region: this.#regions.get(id) };
	}

	/** @param {PointerEvent} event */
	#grab(event) {
		const { node, id, part, region } = this.#held(event);
		if (event.button || !region) return;
		this.#on.select(id);
		node.setPointerCapture(event.pointerId);
		this.#moving = { id, part, x: event.clientX, from: region.span, to: region.span };
	}

	/** @param {PointerEvent} event */
	#pull({ clientX }) {
		const [{ picture }, { x, from, to }] = [this.#timeline, this.#moving ?? {}];
		if (x === undefined || (to === from && Math.abs(clientX - x) < CLICK_PX)) return;
		this.#drag(picture.secondsAt(clientX) - picture.secondsAt(x));
	}

	/** Show what is moving so many seconds from where it was. */
	#drag(by_s = 0) {
		const moving = this.#moving;
		const region = this.#regions.get(moving?.id ?? "");
		if (!moving || !region) return;
		let { start, end } = moving.from;
		// One that lies beyond the call, as another version of the file had it, keeps its length.
		const last = Math.max(this.#timeline.duration, end);
		if (moving.part === "start") start = clamp(start + by_s, 0, end - MIN_REGION_S);
		else if (moving.part === "end") end = clamp(end + by_s, start + MIN_REGION_S, last);
		else {
			const by = clamp(by_s, -start, last - end);
			[start, end] = [start + by, end + by];
		}
		moving.to = { start, end };
		describe(region, moving.to, last);
		this.layout();
	}

	/** Leave what was moved where it is. */
	#settle() {
		const moved = this.#moving;
		this.#moving = undefined;
		if (moved && moved.to !== moved.from) this.#on.move(moved.id, moved.to);
	}

	/** A click on the waveform chooses the shortest region under it, and with the next click the next one. */
	#pick(clientX = 0) {
		const at = this.#timeline.picture.secondsAt(clientX);
		const found = [...this.#regions].filter(([, { span }]) => span.start <= at && at <= span.end);
		found.sort(([, { span: a }], [, { span: b }]) => a.end - a.start - (b.end - b.start));
		const next = found.findIndex(([id]) => id === this.#selected) + 1;
		this.#on.select(found[next % found.length]?.[0]);
	}
}

/** Say in words where a region is. @param {Region} region @param {Span} span */
function describe({ flag, start, end, name }, span, last = 0) {
	flag.title = flag.ariaLabel = `${name}, ${spanText(span)}`;
	const set = (/** @type {HTMLElement} */ node, edge = "", at = 0) =>
		Object.assign(node, { ariaLabel: `${edge} of ${name}`, ariaValueMax: last, ariaValueNow: at, ariaValueText: clock(at, 1) });
	set(start, "Start", span.start);
	set(end, "End", span.end);
}
