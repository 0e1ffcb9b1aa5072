// The list of calls. Only the rows in sight are elements of the page; the kernel sorts and filters.
import { clamp } from "./clock.js";
import { button, div, element, iconButton, span, whenReleased } from "./dom.js";
import { Heads } from "./heads.js";

const ROW_PX = 28;
// How many rows are asked for at once.
const WINDOW_ROWS = 100;
// Rows above and below those in sight that exist too, so that scrolling shows no gap.
const SPARE_ROWS = 4;

export class CallList {
	/** Where the open call is in the list, or -1. */
	index = -1;
	/** All of the list: its bar and its rows. */
	panel;
	node;
	#send;
	#open;
	#view = { sort: "", descending: false, status: "", text: "" };
	/** @type {Map<number, Row>} */
	#rows;
	#total = 0;
	/** How many calls there are without a filter. */
	#all = 0;
	/** What holds for all of them. */
	#common = "";
	/** @type {Set<number>} */
	#asked = new Set();
	/** A row that is opened as soon as it comes. @type {number | undefined} */
	#awaited;
	#key = -1;
	/** Of the view: an answer to an earlier one is out of date. */
	#request = 0;
	#idPrefix = `kn${Math.random().toString(36).slice(2)}-`;
	/** @type {Column[]} */
	#columns;
	#heads;
	#body = element("div", { role: "rowgroup", class: "rows" });
	#count = element("span", { class: "faint count", role: "status" });
	/** What stands in the bar while the list is folded. */
	#place = element("span", { class: "place" });
	#fold;
	#search;
	#status;
	#none = div("none");
	#note = element("div", { class: "note", role: "status" });

	/**
	 * @param {any} first what the kernel sends for the first paint @param {(message: object) => void} send
	 * @param {(row: Row, index: number) => void} open
	 */
	constructor(first, send, open) {
		this.#send = send;
		this.#open = open;
		[this.#rows, this.#total, this.#columns] = [new Map(first.rows.entries()), first.total, first.header];
		[this.#all, this.#common] = [first.total, first.common];
		this.#heads = new Heads(this.#columns, {
			sort: (id) => this.#show({ sort: id, descending: this.#view.sort === id && !this.#view.descending }),
			resize: (columns) => this.node.style.setProperty("--columns", columns),
			room: () => this.node.clientWidth,
			texts: (column) => Array.from(this.#rows.values(), (row) => String(row[column + 2])),
		});
		this.#search = element("input", { type: "search", placeholder: "Filter: words, column:value", label: "Filter",
			title: "Filter (/): words, agent:clinic, duration_s>60, -outcome:booked", input: () => this.#show({ text: this.#search.value }), keydown: (event) => this.#leave(event) });
		const options = first.statuses.map((/** @type {[string, string]} */ [value, text]) => element("option", { value }, text));
		this.#status = element("select", { label: "Filter by status", hidden: options.length < 2,
			change: () => this.#show({ status: this.#status.value }) }, ...options);
		this.#fold = iconButton("fold", "List of calls", () => this.fold());
		const bar = div("bar", this.#fold, iconButton("previous", "Previous call", () => this.step(-1), "P"),
			iconButton("next", "Next call", () => this.step(1), "N"), this.#place, this.#search, this.#status, this.#count);
		this.node = element("div",
			{ role: "grid", class: "grid", tabindex: 0, label: "Calls", scroll: () => this.draw() },
			element("div", { role: "rowgroup", class: "head" }, this.#heads.node), this.#body);
		this.panel = div("list many", bar, this.#note, this.node, this.#none);
		this.panel.style.setProperty("--count", String(first.total));
		this.#none.hidden = true;
		this.fold(false);
		new ResizeObserver(() => this.#resize()).observe(this.node);
	}

	/** How many rows a key for a page moves. */
	get pageRows() {
		return Math.floor(this.node.clientHeight / ROW_PX) - 2;
	}

	/** Leave one line of the list, or show it again. */
	fold(folded = !this.panel.classList.contains("folded")) {
		this.panel.classList.toggle("folded", folded);
		this.#fold.setAttribute("aria-expanded", String(!folded));
		this.#showPlace();
	}

	focusFilter() {
		this.fold(false);
		this.#search.focus();
		this.#search.select();
	}

	/** Open the call that is so many rows on. */
	step(rows = 1) {
		this.#go(clamp((this.#awaited ?? this.index) + rows, 0, this.#total - 1));
	}

	/** Show which call is open. */
	mark(key = -1, index = -1) {
		// Another view of the player may have another order.
		const row = this.#rows.get(index);
		if (row && row[0] !== key) index = [...this.#rows].find(([, each]) => each[0] === key)?.[0] ?? -1;
		[this.#key, this.index] = [key, index];
		this.#scrollTo(index);
		this.draw();
		this.#showPlace();
	}

	/** @param {any} message rows of the view */
	receive(message) {
		if (message.request !== this.#request) return;
		this.#total = message.total;
		// The kernel may not know yet what was opened here since.
		if (message.key === this.#key) this.index = message.index;
		message.rows.forEach((/** @type {Row} */ row, i = 0) => this.#rows.set(message.start + i, row));
		this.#note.textContent = message.note;
		if (message.rows.length) this.#grow();
		this.draw();
		this.#showNone();
		this.#showPlace();
		if (this.#awaited !== undefined && this.#rows.has(this.#awaited)) this.#go(this.#awaited);
	}

	relabel(key = -1, labels = "") {
		for (const row of this.#rows.values()) if (row[0] === key) row[row.length - 1] = labels;
		whenReleased(this.#draw);
	}

	#draw = () => this.draw();

	draw() {
		const [total, index] = [this.#total, this.index];
		const from = clamp(Math.floor(this.node.scrollTop / ROW_PX) - SPARE_ROWS);
		const to = Math.min(total, from + Math.ceil((this.node.clientHeight || 200) / ROW_PX) + 2 * SPARE_ROWS);
		this.#body.style.height = `${total * ROW_PX}px`;
		this.#body.replaceChildren(...Array.from({ length: clamp(to - from) }, (_, i) => this.#rowNode(from + i)));
		this.node.setAttribute("aria-rowcount", String(total + 1));
		this.node.setAttribute("aria-activedescendant", index >= from && index < to ? this.#idPrefix + index : "");
		const count = (total === this.#all ? "" : `${total.toLocaleString("en")} of `) + this.#all.toLocaleString("en");
		this.#count.textContent = `${count} call${this.#all === 1 ? "" : "s"}${this.#common}`;
	}

	/** The rows came into sight, or have another height. */
	#resize() {
		if (!this.node.clientHeight) return;
		this.#grow();
		this.#scrollTo(this.index);
		this.draw();
	}

	#grow() {
		// Without a place in the page there is no font to measure with.
		if (this.node.isConnected) this.#heads.grow();
	}

	#scrollTo(index = -1) {
		const [height, at] = [this.node.clientHeight - ROW_PX, index * ROW_PX];
		if (index >= 0 && height > 0) this.node.scrollTop = clamp(this.node.scrollTop, at + ROW_PX - height, at);
	}

	/** From the filter Enter opens the first call, and the arrow down goes to the rows. @param {KeyboardEvent} event */
	#leave(event) {
		if (event.key !== "Enter" && event.key !== "ArrowDown") return;
		event.preventDefault();
		event.stopPropagation();
		if (!this.#total) return;
		this.node.focus();
		if (event.key === "Enter") this.#go(0);
	}

	#showNone() {
		this.#none.hidden = this.#total > 0;
		this.node.hidden = !this.#total;
		if (this.#total) return;
		const { text, status } = this.#view;
		const words = [text.trim(), status && this.#status.selectedOptions[0].text].filter(Boolean).join(", ");
		this.#none.replaceChildren(span("", `No call matches “${words}”.`), button({ class: "act", click: () => this.#clear() }, "Clear the filter"));
	}

	#clear() {
		this.#search.value = this.#status.value = "";
		this.focusFilter();
		this.#show({ text: "", status: "" });
	}

	#showPlace() {
		const row = this.#rows.get(this.index);
		const [, , ...texts] = row ?? [];
		const place = this.index < 0 ? "" : `Call ${(this.index + 1).toLocaleString("en")} of ${this.#total.toLocaleString("en")}`;
		const cells = texts.map((text) => element("span", { dir: "auto" }, String(text))).filter((each) => each.textContent);
		this.#place.replaceChildren(...(place ? [span("", place)] : []), ...cells);
	}

	#go(index = 0) {
		const row = this.#rows.get(index);
		this.#awaited = row || !this.#total ? undefined : index;
		if (row) this.#open(row, index);
		else this.#ask(index);
	}

	/** @param {Partial<{sort: string, descending: boolean, status: string, text: string}>} change */
	#show(change) {
		const view = Object.assign(this.#view, change);
		this.#rows.clear();
		this.#asked.clear();
		this.#awaited = undefined;
		this.#request++;
		this.node.scrollTop = 0;
		this.#ask();
		this.#heads.show(view.sort, view.descending ? "descending" : "ascending");
	}

	#ask(index = 0) {
		const start = index - (index % WINDOW_ROWS);
		const message = { type: "rows", request: this.#request, start, count: WINDOW_ROWS, view: this.#view };
		if (!this.#asked.has(start)) this.#send(message);
		this.#asked.add(start);
	}

	#rowNode(index = 0) {
		if (!this.#rows.has(index)) this.#ask(index);
		const [key, state, ...texts] = this.#rows.get(index) ?? [-1, "", "…"];
		const props = {
			role: "row",
			class: `row ${state}`,
			id: this.#idPrefix + index,
			"aria-rowindex": index + 2,
			style: `top:${index * ROW_PX}px`,
			"aria-selected": String(key === this.#key),
			click: () => this.#go(index),
		};
		return element("div", props, ...texts.map((text, i) => this.#cell(String(text), this.#columns[i])));
	}

	/** @param {string} text @param {Column} column */
	#cell(text, { id, number }) {
		const dot = id === "status" ? [element("i", { class: "dot" })] : [];
		const props = { role: "gridcell", dir: "auto", title: text, class: number ? "number" : "" };
		return element("div", props, ...dot, text);
	}
}
