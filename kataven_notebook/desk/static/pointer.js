// What mouse, pen, fingers and wheel do on the waveform.
import { clamp, clock } from "./clock.js";
import { div } from "./dom.js";

const DRAG_PX = 4;
const LINE_PX = 16;
const HINT = "Ctrl+wheel zooms; so does the wheel after a click";

/**
 * A press that goes on: it draws a region, moves the picture, or moves the listener.
 * @typedef {{does: "region" | "pan" | "seek", x: number, from: number, at: number, moved: boolean, region: Span | null}} Drag
 */

export class Pointer {
	/** The time under the pointer. */
	node = div("hover");
	/** @type {import("./timeline.js").Timeline} */
	#timeline;
	/** Where the pointers are that are down. @type {Map<number, number>} */
	#down = new Map();
	/** The times that two fingers hold. @type {number[]} */
	#held = [];
	/** @type {Drag | undefined} */
	#drag;
	/** Whether the pointer was moved here: else the page was scrolled under it, and the wheel goes on scrolling. */
	#came = false;

	/** @param {import("./timeline.js").Timeline} timeline */
	constructor(timeline) {
		this.#timeline = timeline;
		this.node.hidden = true;
	}

	get isDown() {
		return Boolean(this.#drag || this.#held.length);
	}

	/** @returns {import("./dom.js").Props} */
	get listeners() {
		return {
			pointerdown: (event) => this.#press(event),
			pointermove: (event) => this.#move(event),
			pointerup: (event) => this.#release(event),
			pointercancel: (event) => this.#release(event, true),
			pointerleave: () => this.#leave(),
			// Else Chromium scrolls by the middle button.
			mousedown: (event) => event.button === 1 && event.preventDefault(),
		};
	}

	/** @param {PointerEvent} event */
	#press(event) {
		const { wave, picture, duration, region } = this.#timeline;
		const { button, shiftKey, clientX: x, clientY: y, pointerId } = event;
		if (button > 1 || !duration) return;
		wave.focus({ preventScroll: true });
		wave.setPointerCapture(pointerId);
		this.#came = true;
		this.#down.set(pointerId, x);
		if (this.#down.size > 1) {
			this.#giveUp();
			this.#held = [...this.#down.values()].map((each) => picture.secondsAt(each));
			return;
		}
		const onAxis = picture.isOnAxis(y);
		const does = button || shiftKey || (onAxis && picture.length < duration) ? "pan" : onAxis ? "seek" : "region";
		this.#drag = { does, x, from: picture.from, at: this.#secondsAt(x), moved: false, region };
		if (does === "seek") this.#timeline.seek(this.#drag.at);
	}

	/** @param {PointerEvent} event */
	#move({ clientX: x, pointerId, pointerType, movementX, movementY }) {
		const timeline = this.#timeline;
		this.#came ||= Boolean(movementX || movementY);
		if (pointerType !== "touch") this.#show(x, clock(this.#secondsAt(x), timeline.picture.length < 10 ? 3 : 1));
		if (this.#down.has(pointerId)) this.#down.set(pointerId, x);
		if (this.#held.length) this.#pinch();
		const drag = this.#drag;
		if (!drag) return;
		const at = this.#secondsAt(x);
		drag.moved ||= Math.abs(x - drag.x) > DRAG_PX;
		if (drag.does === "seek") timeline.seek((drag.at = at));
		else if (drag.does === "pan") timeline.look(drag.from - this.#seconds(x - drag.x), timeline.picture.length);
		else if (drag.moved) timeline.setRegion({ start: Math.min(at, drag.at), end: Math.max(at, drag.at) });
	}

	/** A click seeks; a drag has drawn a region, or moved the picture. @param {PointerEvent} event */
	#release({ pointerId, button }, cancelled = false) {
		this.#down.delete(pointerId);
		if (!this.#down.size) this.#held = [];
		const [drag, timeline] = [this.#drag, this.#timeline];
		if (cancelled) this.#giveUp();
		else if (drag?.moved && drag.does === "region" && timeline.region) timeline.drawn(timeline.region);
		else if (drag && !drag.moved && !button) timeline.seek(drag.at);
		this.#drag = undefined;
	}

	#giveUp() {
		if (this.#drag?.moved && this.#drag.does === "region") this.#timeline.setRegion(this.#drag.region);
		this.#drag = undefined;
	}

	/** Keep the times under the fingers that hold them. */
	#pinch() {
		const { picture } = this.#timeline;
		const [[left = 0, right = 0], [start, end]] = [[...this.#down.values()], this.#held];
		if (this.#down.size < 2 || Math.abs(right - left) < 1 || (end - start) / (right - left) <= 0) return;
		const length = this.#timeline.bounded(((end - start) / (right - left)) * picture.width);
		const middle = (left + right) / 2 - picture.canvas.getBoundingClientRect().left;
		this.#timeline.look((start + end) / 2 - (middle / picture.width) * length, length);
	}

	/** The page scrolls on wherever the wheel has nothing to do here. @param {WheelEvent} event */
	wheel(event) {
		const timeline = this.#timeline;
		const { picture, wave } = timeline;
		const { from, to, length } = picture;
		const unit = event.deltaMode ? LINE_PX : 1;
		const [x, y] = [event.deltaX * unit, event.deltaY * unit];
		const isPinch = event.ctrlKey || event.metaKey;
		const isAcross = !isPinch && (event.shiftKey || Math.abs(x) > Math.abs(y));
		if (isAcross) timeline.look(from + this.#seconds(Math.abs(x) > Math.abs(y) ? x : y), length);
		else if (isPinch || (this.#came && wave.matches(":focus"))) {
			// A step of a mouse wheel is a hundred pixels or more, one of a pinch a few.
			const factor = Math.exp(clamp(y, -100, 100) * (isPinch && Math.abs(y) < 40 ? 0.01 : 0.003));
			timeline.zoom(factor, this.#secondsAt(event.clientX));
		} else if (this.#came) this.#show(event.clientX, HINT);
		if (picture.from !== from || picture.to !== to || (isPinch && timeline.duration)) event.preventDefault();
	}

	#leave() {
		this.#came = false;
		this.node.hidden = true;
	}

	#show(clientX = 0, text = "") {
		const { picture, duration } = this.#timeline;
		const x = clientX - picture.canvas.getBoundingClientRect().left;
		this.node.hidden = !duration || x < 0 || x > picture.width;
		this.node.style.transform = `translateX(${x}px)`;
		this.node.classList.toggle("left", x > picture.width / 2);
		this.node.textContent = text;
	}

	#seconds(px = 0) {
		return (px / (this.#timeline.picture.width || 1)) * this.#timeline.picture.length;
	}

	#secondsAt(clientX = 0) {
		return clamp(this.#timeline.picture.secondsAt(clientX), 0, this.#timeline.duration);
	}
}
