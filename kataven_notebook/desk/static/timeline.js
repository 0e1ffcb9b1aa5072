// Where the listener is in the call: cursor, zoom, and the region that the pointer draws.
import { clamp } from "./clock.js";
import { div, element } from "./dom.js";
import { Picture } from "./drawing.js";

const DRAG_PX = 4;

/**
 * What stands at times of the call: it is placed anew whenever another part of the call is in sight.
 * @typedef {object} Layer
 * @property {(picture: Picture) => void} layout
 */

/**
 * @typedef {object} TimelineEvents
 * @property {(to: number) => void} seek
 * @property {(span: Span) => void} region a region was drawn
 */

export class Timeline {
	duration = 0;
	/** @type {Span | null} */
	region = null;
	node;
	/** The slider: what is clicked and has the focus. */
	wave;
	/** Covers the picture, for nodes with handles; it lets the pointer through where they don't stand. */
	over = div("over");
	/** Under the picture, as wide as it, for rows of words. */
	under = div("under");
	/** @type {Layer[]} */
	layers = [];
	picture = new Picture();
	#on;
	#cursor = div("cursor");
	#band = div("band");
	/** @type {Call | undefined} */
	#call;
	/** A pointer that is down; with `scrub` it seeks and draws no region. */
	/** @type {{x: number, from: number, scrub: boolean, moved: boolean} | undefined} */
	#drag;

	/** @param {TimelineEvents} on */
	constructor(on) {
		this.#on = on;
		const pointer = {
			pointerdown: (/** @type {PointerEvent} */ event) => this.#press(event),
			pointermove: (/** @type {PointerEvent} */ event) => this.#move(event),
			pointerup: () => this.#release(),
		};
		const { canvas, probe } = this.picture;
		const props = { role: "slider", class: "wave", tabindex: 0, label: "Position in the call", ...pointer };
		this.wave = element("div", props, canvas, this.#band, this.#cursor, probe);
		this.node = div("timeline", div("stage", this.wave, this.over), this.under);
	}

	/** @param {Call} call */
	show(call, duration = 0) {
		const picture = this.picture;
		const showedAll = picture.length >= this.duration;
		if (call !== this.#call || showedAll) [picture.from, picture.to] = [0, duration];
		[this.#call, this.duration] = [call, duration];
		this.wave.setAttribute("aria-valuemax", duration.toFixed(1));
		this.draw();
	}

	draw() {
		this.picture.draw(this.#call);
		this.setRegion(this.region);
		for (const layer of this.layers) layer.layout(this.picture);
	}

	/** Draw anew if the theme is another one. */
	restyle() {
		if (this.picture.isOfOtherTheme()) this.draw();
	}

	/** Keep `at` where it is on the screen, or the middle where it is out of sight. */
	zoom(factor = 1, at = 0) {
		const { from, to, length } = this.picture;
		const around = at >= from && at <= to ? at : (from + to) / 2;
		const next = clamp(length * factor, Math.min(1, this.duration), this.duration);
		this.#look(around - ((around - from) / (length || 1)) * next, next);
	}

	/** Move the cursor; with `follow` the picture turns over to it. */
	point(at = 0, follow = false) {
		const picture = this.picture;
		if (follow && !this.#drag && this.duration && (at > picture.to || at < picture.from)) this.#look(at, picture.length);
		this.#cursor.hidden = !this.duration || at < picture.from || at > picture.to;
		this.#cursor.style.transform = `translateX(${picture.x(at)}px)`;
	}

	/** @param {Span | null} region */
	setRegion(region) {
		this.region = region;
		this.#band.hidden = !region;
		const edge = (seconds = 0) => clamp(this.picture.x(seconds), 0, this.picture.width);
		const [left, right] = [edge(region?.start), edge(region?.end)];
		this.#band.style.cssText = `left:${left}px;width:${right - left}px`;
	}

	#look(from = 0, length = 0) {
		this.picture.from = clamp(from, 0, this.duration - length);
		this.picture.to = this.picture.from + length;
		this.draw();
	}

	/** @param {MouseEvent} event */
	#secondsAt(event) {
		return clamp(this.picture.secondsAt(event.clientX), 0, this.duration);
	}

	/** @param {PointerEvent} event */
	#press(event) {
		if (event.button || !this.duration) return;
		this.wave.focus({ preventScroll: true });
		this.wave.setPointerCapture(event.pointerId);
		const scrub = this.picture.isOnAxis(event.clientY);
		this.#drag = { x: event.clientX, from: this.#secondsAt(event), scrub, moved: false };
		if (scrub) this.#on.seek(this.#drag.from);
	}

	/** @param {PointerEvent} event */
	#move(event) {
		const drag = this.#drag;
		if (!drag) return;
		const at = this.#secondsAt(event);
		drag.moved ||= !drag.scrub && Math.abs(event.clientX - drag.x) > DRAG_PX;
		if (drag.scrub) this.#on.seek((drag.from = at));
		else if (drag.moved) this.setRegion({ start: Math.min(at, drag.from), end: Math.max(at, drag.from) });
	}

	/** A click seeks; a drag has drawn a region. */
	#release() {
		const drag = this.#drag;
		if (drag?.moved && this.region) this.#on.region(this.region);
		else if (drag) this.#on.seek(drag.from);
		this.#drag = undefined;
	}
}
