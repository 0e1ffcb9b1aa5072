// What the shapes on the sound mean, and the way from one mark of the call to the next.
import { clock } from "./clock.js";
import { element, iconButton, span } from "./dom.js";
import { markIcon } from "./marks.js";

/** Nearer marks are one place to go to. */
const NEAR_S = 0.05;

export class Legend {
	node;
	#on;
	#kinds = span("set kinds");
	#steps;
	#where = element("span", { role: "status" });
	#outside = span("");
	/** @type {Call | undefined} */
	#call;
	/** The marks that can be gone to. @type {Mark[]} */
	#marks = [];

	/** @param {{seek: (to: number) => void, at: () => number}} on */
	constructor(on) {
		this.#on = on;
		this.#steps = span("set steps", this.#where, iconButton("previous", "Previous mark", () => this.step(-1), ","),
			iconButton("next", "Next mark", () => this.step(1), "."));
		this.node = element("div", { class: "faint legend" }, this.#kinds, this.#steps, this.#outside);
	}

	/** @param {Call} call @param {number} duration 0 while it is unknown */
	show(call, duration) {
		const all = call.marks ?? [];
		const end = duration || Infinity;
		this.#marks = all.filter(({ start_s }) => start_s >= 0 && start_s <= end);
		const lost = all.length - this.#marks.length;
		this.#outside.textContent = lost ? `${lost} mark${lost === 1 ? " lies" : "s lie"} outside the call (${clock(end)})` : "";
		if (call !== this.#call) this.#where.textContent = "";
		this.#call = call;
		this.#steps.hidden = !this.#marks.length;
		this.#kinds.replaceChildren(...(call.legend ?? []).map(([kind, name]) => span("set", markIcon(kind), name)));
	}

	/** Go to the next mark, or the one before. */
	step(by = 1) {
		const [marks, at] = [this.#marks, this.#on.at()];
		const before = marks.filter(({ start_s }) => start_s < at - NEAR_S).length - 1;
		const next = by > 0 ? marks.findIndex(({ start_s }) => start_s > at + NEAR_S) : before;
		if (next < 0) {
			this.#where.textContent = marks.length ? `no mark ${by > 0 ? "after" : "before"} this` : "";
			return;
		}
		const { kind, label, start_s } = marks[next];
		const name = this.#call?.legend?.find((each) => each[0] === kind)?.[1] ?? kind;
		this.#where.textContent = `${next + 1} of ${marks.length}: ${label || name}`;
		this.#on.seek(start_s);
	}
}
