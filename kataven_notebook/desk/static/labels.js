// The labels of the open call: buttons to set them, a note, and what was decided.
import { spanText } from "./clock.js";
import { button, div, element, iconButton, setPressed, span } from "./dom.js";

export class Labels {
	node;
	note = element("input", { type: "text", placeholder: "Note for the next label, or Enter", label: "Note" });
	/** @type {string[]} */
	#names;
	#send;
	#saving;
	#buttons;
	#target = span("faint");
	#decisions = element("ul", {});
	/** @type {Call | undefined} */
	#call;
	/** @type {Span | null} */
	#region = null;

	/** @param {string[]} names @param {(message: object) => void} send @param {() => void} saving */
	constructor(names, send, saving) {
		this.#names = names;
		this.#send = send;
		this.#saving = saving;
		this.#buttons = names.map((name, i) =>
			button({ class: "tag", click: () => this.decide(name) }, element("kbd", {}, String(i + 1)), name));
		const head = div("line", element("h3", {}, "Labels"), this.#target);
		const panel = { class: "panel", hidden: !names.length };
		this.node = element("div", panel, head, div("labels", ...this.#buttons), this.note, this.#decisions);
	}

	/** @param {Call | undefined} call @param {Span | null} region */
	show(call, region) {
		[this.#call, this.#region] = [call, region];
		this.#target.textContent = region ? `for ${spanText(region)}` : "for the whole call";
		this.#buttons.forEach((node, i) => setPressed(node, !region && call?.pressed?.includes(this.#names[i])));
		this.#decisions.replaceChildren(...(call?.labels ?? []).map(({ id, text }) =>
			element("li", {}, text, iconButton("close", `Take back: ${text}`, () => this.takeBack(id)))));
	}

	/** Set the label of a digit key; return whether there is one. */
	decideByDigit(digit = "") {
		const name = this.#names[Number(digit) - 1];
		if (name) this.decide(name);
		return Boolean(name);
	}

	/** Set a label, or take it off the whole call where it is set; without a name the note alone is kept. */
	decide(name = "") {
		const { start: start_s, end: end_s } = this.#region ?? {};
		this.#send({ type: "label", key: this.#call?.key, label: name, note: this.note.value, start_s, end_s });
		this.note.value = "";
		this.#saving();
	}

	/** Without an id: the last decision. */
	takeBack(id = "") {
		this.#send({ type: "unlabel", key: this.#call?.key, id });
	}
}
