// The moments most worth hearing, over all calls, and the caller's marks. Of many the first are here; others are asked for.
import { button, div, element, span } from "./dom.js";

const WINDOW = 100;

export class Moments {
	node;
	/** @type {Moment[]} */
	#moments = [];
	#open;
	#send;
	#total = 0;
	/** Where the next window starts. */
	#next = 0;
	#asked = -1;
	/** @type {Element[]} */
	#buttons = [];
	#count = span("faint");
	#list;
	#heard = -1;
	/** Whether the one after the last is to be heard when it comes. */
	#waits = false;

	/** @param {any} first what the kernel sends for the first paint @param {(moment: Moment) => void} open @param {(message: object) => void} send */
	constructor({ moments, moments_total: total, moments_title: title }, open, send) {
		this.#open = open;
		this.#send = send;
		this.#total = total;
		const scroll = () => {
			const { scrollTop, clientHeight, scrollHeight } = this.#list;
			if (scrollTop + 2 * clientHeight > scrollHeight) this.#more();
		};
		this.#list = element("ol", { scroll });
		this.node = element("div", { class: "panel", hidden: !total },
			div("line", element("h3", {}, title), this.#count), this.#list);
		this.receive({ start: 0, moments });
	}

	/** @param {any} message some more of them */
	receive({ start, moments }) {
		if (start !== this.#next) return;
		this.#next += moments.length;
		const add = (/** @type {Moment} */ { at, kind, detail, session }, i = 0) =>
			button({ click: () => this.#hear(i) }, span("at", at), element("span", { dir: "auto" }, kind),
				element("span", { class: "faint", dir: "auto" }, detail), span("faint whose many", session));
		const added = moments.map((/** @type {Moment} */ each, i = 0) => add(each, this.#moments.length + i));
		this.#moments.push(...moments);
		this.#buttons.push(...added);
		this.#list.append(...added.map((/** @type {Element} */ each) => element("li", {}, each)));
		const [some, all] = [this.#moments.length, this.#total].map((each) => each.toLocaleString("en"));
		this.#count.textContent = some === all ? "" : `the first ${some} of ${all}`;
		if (this.#waits) this.next();
	}

	/** Hear the next one; the first again after the last. */
	next() {
		const next = this.#heard + 1;
		this.#waits = next === this.#moments.length && next < this.#total;
		if (this.#waits) this.#more();
		else if (this.#moments.length) this.#hear(next % this.#moments.length);
	}

	#more() {
		if (this.#next >= this.#total || this.#asked === this.#next) return;
		this.#asked = this.#next;
		this.#send({ type: "moments", start: this.#next, count: WINDOW });
	}

	#hear(i = 0) {
		this.#buttons[this.#heard]?.removeAttribute("aria-current");
		this.#heard = i;
		this.#buttons[i].setAttribute("aria-current", "true");
		this.#open(this.#moments[i]);
	}
}
