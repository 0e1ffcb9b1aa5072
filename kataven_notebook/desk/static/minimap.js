// The whole call under the waveform, with a window on the part in sight that is dragged and resized.
import { clamp } from "./clock.js";
import { div, element } from "./dom.js";

const COLUMNS = 400;
const EDGE_PX = 7;
const HINT = "Drag the window, or its ends. On the waveform: Ctrl+wheel zooms, Shift+wheel or Shift+drag moves.";

export class Minimap {
	node;
	#look;
	#window = div("window");
	#cursor = div("cursor");
	#path = document.createElementNS("http://www.w3.org/2000/svg", "path");
	#duration = 0;
	/** @type {import("./drawing.js").Picture | undefined} */
	#picture;
	/** What a drag moves: start and end of the window. @type {{x: number, from: number, to: number, start: boolean, end: boolean} | undefined} */
	#drag;

	/** @param {(from: number, length: number) => void} look */
	constructor(look) {
		this.#look = look;
		const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
		svg.setAttribute("viewBox", `0 -1.1 ${COLUMNS} 2.2`);
		svg.setAttribute("preserveAspectRatio", "none");
		svg.append(this.#path);
		this.node = element("div", {
			class: "minimap", "aria-hidden": "true", title: HINT,
			pointerdown: (event) => this.#press(event),
			pointermove: (event) => this.#move(event),
			pointerup: () => (this.#drag = undefined),
			pointercancel: () => (this.#drag = undefined),
		}, svg, this.#window, this.#cursor);
	}

	/** Draw the whole call. @param {import("./drawing.js").Picture} picture */
	draw(picture, duration = 0, rate = 0) {
		[this.#picture, this.#duration] = [picture, duration];
		const step = duration / COLUMNS;
		const heights = (lane = 0) => Array.from({ length: COLUMNS }, (_, i) =>
			clamp(picture.loudest(lane, i * step, (i + 1) * step, rate), 0, 1).toFixed(2));
		// The first channel stands on the middle, the last one hangs from it.
		const [up, down] = [heights(0), heights(picture.lanes - 1)];
		const outline = [...up.map((height, i) => `${i} -${height}`), ...down.map((height, i) => `${i} ${height}`).reverse()];
		this.#path.setAttribute("d", [...up, ...down].some(Number) ? `M${outline.join("L")}Z` : "");
		this.#cursor.hidden = !duration;
	}

	/** Show which part is in sight. @param {import("./drawing.js").Picture} picture */
	layout({ from, length }) {
		const percent = (seconds = 0) => `${(100 * seconds) / (this.#duration || 1)}%`;
		[this.#window.style.left, this.#window.style.width] = [percent(from), percent(length)];
	}

	point(at = 0) {
		this.#cursor.style.left = `${(100 * at) / (this.#duration || 1)}%`;
	}

	#seconds(px = 0) {
		return (px / (this.node.clientWidth || 1)) * this.#duration;
	}

	/** @param {PointerEvent} event */
	#press({ button, clientX: x, pointerId }) {
		if (button || !this.#picture?.length) return;
		this.node.setPointerCapture(pointerId);
		let { from, to } = this.#picture;
		const at = this.#seconds(x - this.node.getBoundingClientRect().left);
		const near = this.#seconds(EDGE_PX);
		const [start, end] = [Math.abs(at - from) < near && at < (from + to) / 2, Math.abs(at - to) < near && at >= (from + to) / 2];
		if (!start && !end && (at < from || at > to)) {
			// Beside the window: it comes, and goes on with the pointer.
			const length = to - from;
			from = clamp(at - length / 2, 0, this.#duration - length);
			to = from + length;
			this.#look(from, length);
		}
		this.#drag = { x, from, to, start: start || !end, end: end || !start };
	}

	/** @param {PointerEvent} event */
	#move({ clientX }) {
		if (!this.#drag) return;
		const { x, from, to, start, end } = this.#drag;
		const by = this.#seconds(clientX - x);
		const [first, last] = [clamp(from + (start ? by : 0), 0, this.#duration), clamp(to + (end ? by : 0), 0, this.#duration)];
		if (start && end) this.#look(from + by, to - from);
		else this.#look(Math.min(first, last), Math.abs(last - first));
	}
}
