// The moments most worth hearing, over all calls.
import { button, element, span } from "./dom.js";

export class Moments {
	node;
	/** @type {Moment[]} */
	#moments;
	#open;
	/** @type {Element[]} */
	#buttons;
	#heard = -1;

	/** @param {Moment[]} moments worst first @param {(moment: Moment) => void} open */
	constructor(moments, open) {
		this.#moments = moments;
		this.#open = open;
		this.#buttons = moments.map(({ at, kind, detail, session }, i) =>
			button({ click: () => this.#hear(i) }, span("at", at), kind, span("faint", detail), span("faint whose many", session)));
		const items = this.#buttons.map((each) => element("li", {}, each));
		const panel = { class: "panel", hidden: !moments.length };
		this.node = element("div", panel, element("h3", {}, "Moments, worst first"), element("ol", {}, ...items));
	}

	next() {
		if (this.#moments.length) this.#hear((this.#heard + 1) % this.#moments.length);
	}

	#hear(i = 0) {
		this.#heard = i;
		this.#open(this.#moments[i]);
		this.#buttons.forEach((node, each) => node.setAttribute("aria-current", String(each === i)));
	}
}
