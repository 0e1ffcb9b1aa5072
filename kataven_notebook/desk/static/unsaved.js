// Says that the kernel is gone, and which labels are not saved yet; offers to try again, and the labels as a file.
import { button, div, element, saveAs, span } from "./dom.js";

const MAX_SHOWN = 5;
/** @type {Record<string, string>} */
const ACTIONS = { label: "add", relabel: "change", unlabel: "remove" };
/** @type {Record<string, string>} */
const ESCAPES = { "\\": "\\\\", "\n": "\\n", "\t": "\\t" };

export class Unsaved {
	#text = element("div", { role: "status" });
	#list = div("faint");
	#retry = button({ class: "act", click: () => this.#link.retry() }, "Try again");
	#buttons = span("set", this.#retry, button({ class: "act", click: () => this.#save() }, "Download these labels"));
	node = element("div", { class: "unsaved", hidden: true }, this.#text, this.#list, this.#buttons);
	#link;

	/** @param {import("./link.js").Link} link */
	constructor(link) {
		this.#link = link;
	}

	show() {
		const { waiting, gone, trouble } = this.#link;
		this.node.hidden = !gone && !trouble;
		this.#buttons.hidden = this.#list.hidden = !waiting.length;
		this.#retry.hidden = gone;
		const text = this.node.hidden ? "" : this.#sentences();
		// Set only if it is another one: screen readers read it aloud each time.
		if (text !== this.#text.textContent) this.#text.textContent = text;
		const names = waiting.map(({ title, session, state }) => `${title ?? session}: ${state ? state.label || state.note : "a label taken back"}`);
		const more = names.length - MAX_SHOWN;
		this.#list.textContent = names.slice(0, MAX_SHOWN).join("; ") + (more > 0 ? `; and ${more} more` : "");
	}

	#sentences() {
		const { waiting, gone, named } = this.#link;
		const why = waiting.find((each) => each.why)?.why;
		const count = waiting.length;
		const them = count === 1 ? "1 label is not saved yet." : `${count} labels are not saved yet.`;
		const kept = named ? "Labels are kept in this page, and saved when the cell is run again." :
			"Labels are kept in this page alone, as save_to= names no file: download them.";
		if (gone) return ["The kernel of this player is gone.", ...(count ? [them] : []), kept].join(" ");
		return `${them} ${why || "The kernel may be busy; the player tries on until it answers."}`;
	}

	/** The records that the player would have added to its file, as desk/label_file.py writes them. */
	#save() {
		const { columns, waiting } = this.#link;
		const rows = waiting.map(({ type, op, id, session, by, at, state }) => {
			const { label, start_s, end_s, note, by: who = by, at: when = new Date(at).toISOString() } = state ?? {};
			const text = note?.replace(/\r\n?/g, "\n").replace(/[\\\n\t]/g, (found) => ESCAPES[found]);
			return [ACTIONS[type], id, session, label, start_s, end_s, text, who, when, op === id ? "" : op];
		});
		const text = [columns, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
		saveAs(new Blob([text], { type: "text/csv" }), "labels-not-saved.csv");
	}
}

/** A cell of a CSV file; a record is one line. @param {string | number | undefined | null} value */
function cell(value) {
	const text = String((typeof value === "number" ? value.toFixed(3) : value) ?? "").replace(/[\n\v\f\r\x85\u2028\u2029]+/g, " ");
	return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
