// The list of calls. Only the rows in sight are elements of the page; the kernel sorts and filters.
import { clamp } from "./clock.js";
import { button, div, element, span } from "./dom.js";

const ROW_PX = 28;
// How many rows are asked for at once.
const WINDOW_ROWS = 100;
// Rows above and below those in sight that exist too, so that scrolling shows no gap.
const SPARE_ROWS = 4;

export class CallList {
	/** Where the open call is in the list, or -1. */
	index = -1;
	bar;
	node;
	#send;
	#open;
	#view = { sort: "", descending: false, status: "", text: "" };
	/** @type {Map<number, Row>} */
	#rows;
	#total = 0;
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
	#count = span("faint count");

	/**
	 * @param {any} first what the kernel sends for the first paint @param {(message: object) => void} send
	 * @param {(row: Row, index: number) => void} open
	 */
	constructor(first, send, open) {
		this.#send = send;
		this.#open = open;
		[this.#rows, this.#total, this.#columns] = [new Map(first.rows.entries()), first.total, first.header];
		const head = (/** @type {Column} */ { id, title }) =>
			element("div", { role: "columnheader", "aria-sort": "none" }, button({ click: () => this.#sortBy(id) }, title));
		this.#heads = this.#columns.map(head);
		this.bar = div("bar", ...this.#filters(first.statuses), this.#count);
		const props = { role: "grid", class: "grid", tabindex: 0, label: "Calls", scroll: () => this.draw() };
		const headRow = element("div", { role: "row" }, ...this.#heads);
		this.node = element("div", props, element("div", { role: "rowgroup", class: "head" }, headRow), this.#body);
		this.node.style.cssText = first.widths;
	}

	/** How many rows a key for a page moves. */
	get pageRows() {
		return Math.floor(this.node.clientHeight / ROW_PX) - 2;
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
		const [height, at] = [this.node.clientHeight - ROW_PX, index * ROW_PX];
		if (index >= 0) this.node.scrollTop = clamp(this.node.scrollTop, at + ROW_PX - height, at);
		this.draw();
	}

	/** @param {any} message rows of the view */
	receive(message) {
		if (message.request !== this.#request) return;
		this.#total = message.total;
		// The kernel may not know yet what was opened here since.
		if (message.key === this.#key) this.index = message.index;
		message.rows.forEach((/** @type {Row} */ row, i = 0) => this.#rows.set(message.start + i, row));
		this.draw();
		if (this.#awaited !== undefined && this.#rows.has(this.#awaited)) this.#go(this.#awaited);
	}

	relabel(key = -1, labels = "") {
		for (const row of this.#rows.values()) if (row[0] === key) row[row.length - 1] = labels;
		this.draw();
	}

	draw() {
		const [total, index] = [this.#total, this.index];
		const from = clamp(Math.floor(this.node.scrollTop / ROW_PX) - SPARE_ROWS);
		const to = Math.min(total, from + Math.ceil((this.node.clientHeight || 200) / ROW_PX) + 2 * SPARE_ROWS);
		this.#body.style.height = `${total * ROW_PX}px`;
		this.#body.replaceChildren(...Array.from({ length: clamp(to - from) }, (_, i) => this.#rowNode(from + i)));
		this.node.setAttribute("aria-rowcount", String(total + 1));
		this.node.setAttribute("aria-activedescendant", index >= from && index < to ? this.#idPrefix + index : "");
		this.#count.textContent = `${total.toLocaleString("en")} call${total === 1 ? "" : "s"}`;
	}

	/** @param {[value: string, text: string][]} statuses */
	#filters(statuses) {
		const input = () => this.#show({ text: search.value });
		const search = element("input", { type: "search", placeholder: "Filter by any text", label: "Filter", input });
		const options = statuses.map(([value, text]) => element("option", { value }, text));
		const change = () => this.#show({ status: status.value });
		const status = element("select", { label: "Filter by status", change }, ...options);
		return [search, status];
	}

	#go(index = 0) {
		const row = this.#rows.get(index);
		this.#awaited = row || !this.#total ? undefined : index;
		if (row) this.#open(row, index);
		else this.#ask(index);
	}

	#sortBy(id = "") {
		this.#show({ sort: id, descending: this.#view.sort === id && !this.#view.descending });
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
		const direction = view.descending ? "descending" : "ascending";
		const sorted = (i = 0) => (this.#columns[i].id === view.sort ? direction : "none");
		this.#heads.forEach((head, i) => head.setAttribute("aria-sort", sorted(i)));
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
		const dot = (i = 0) => (i === 1 ? [element("i", { class: `dot ${state}` })] : []);
		const props = {
			role: "row",
			class: "row",
			id: this.#idPrefix + index,
			"aria-rowindex": index + 2,
			style: `top:${index * ROW_PX}px`,
			"aria-selected": String(key === this.#key),
			click: () => this.#go(index),
		};
		return element("div", props,
			...texts.map((text, i) => element("div", { role: "gridcell", title: text }, ...dot(i), text)));
	}
}
