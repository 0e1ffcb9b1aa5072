// The labels of the open call: buttons to set them, a note, and what was decided, to be chosen, changed and heard.
import { spanText } from "./clock.js";
import { Decisions } from "./decisions.js";
import { button, div, element, iconButton, setPressed, span, whenReleased } from "./dom.js";
import { sessionOf } from "./link.js";
import { Regions } from "./regions.js";

const MAX_NOTE = 50000;
const MIN_REGION_S = 0.02;
const SAME_S = 0.0006;
const SAVING = "Saving…";

/** @param {Decision} decision @returns {Span | null} */
const spanOf = ({ start_s: start, end_s: end }) => (start === null || end === null ? null : { start, end });

/** @param {Decision} decision */
const named = (decision) => {
	const where = spanOf(decision);
	return [decision.label || (where ? "note" : decision.note.split("\n")[0]), where && spanText(where)].filter(Boolean).join(" · ");
};

/**
 * @typedef {object} LabelEvents
 * @property {(message: object) => void} send
 * @property {(region: Span) => void} hear
 * @property {() => void} leave take the focus
 */

export class Labels {
	node;
	note = element("textarea", {
		rows: 1, maxlength: MAX_NOTE, label: "Note", placeholder: "Note, kept with a label or Enter", title: "Shift+Enter: new line",
		change: () => this.#keepNote(),
		input: () => this.selected || this.#setDraft(this.#call, this.note.value),
	});
	regions;
	/** The id of the decision that is chosen. */
	selected = "";
	/** @type {string[]} */
	#names;
	#link;
	#on;
	#decisions;
	#buttons;
	#auto = button({ class: "auto", title: "After a label open the next call without one (A)", click: () => this.toggleAuto() }, "Auto-advance");
	#isAuto = false;
	#target = span("faint");
	#news = element("span", { role: "status", class: "faint" });
	#list = element("ul", {});
	#listed = "";
	/** Of the open call. @type {Decision[]} */
	#labels = [];
	/** Whether labels wait for longer than an answer takes. */
	#isLate = false;
	/** What the field of the note held before the listener wrote in it. */
	#filled = "";
	/** Notes that are half written, by session. @type {Map<string, string>} */
	#drafts;
	/** @type {Call | undefined} */
	#call;
	/** @type {Span | null} */
	#region = null;

	/** @param {string[]} names @param {string | null} annotator @param {import("./link.js").Link} link @param {LabelEvents} on @param {import("./timeline.js").Timeline} timeline */
	constructor(names, annotator, link, on, timeline) {
		this.#names = names;
		this.#link = link;
		this.#drafts = new Map(link.notes);
		this.#on = on;
		this.#decisions = new Decisions(link, () => (this.#news.textContent = SAVING), annotator);
		this.regions = new Regions(timeline, {
			select: (id) => this.select(id),
			move: (id, to) => this.#move(id, to),
			hear: () => this.hear(),
			leave: on.leave,
		});
		this.#buttons = names.map((name, i) =>
			button({ class: "tag", click: () => this.decide(name) }, ...(i < 9 ? [element("kbd", {}, String(i + 1))] : []), name));
		setPressed(this.#auto);
		// What comes and goes has a line of its own: buttons must not move away under the pointer.
		const foot = div("line", ...(names.length ? [this.#auto] : []), this.#news);
		this.node = div("panel", div("line", element("h3", {}, "Labels"), this.#target), div("labels", ...this.#buttons), this.note, foot, this.#list);
	}

	/** The decision that is chosen. */
	get chosen() {
		return this.#labels.find(({ id }) => id === this.selected);
	}

	/** Its region. */
	get span() {
		return this.chosen ? spanOf(this.chosen) : null;
	}

	/** @param {Call | undefined} call @param {Span | null} region */
	show(call, region) {
		if (call !== this.#call) {
			this.select();
			this.#setDraft(this.#call, this.note.value);
			this.#fill(this.#draft(call));
		}
		[this.#call, this.#region] = [call, region];
		this.#labels = call ? this.#decisions.of(call) : [];
		const { chosen } = this;
		if (!chosen) this.select();
		// It was undone, or changed elsewhere: the old one must not be written again.
		else if (this.note.value === this.#filled && chosen.note !== this.#filled) this.#fill(chosen.note);
		this.#show();
	}

	/** Say how far the kernel is with what was decided. */
	tell(refusal = "") {
		const { waiting, trouble } = this.#link;
		const isSaving = this.#news.textContent === SAVING;
		if (isSaving && (trouble || refusal)) this.#news.textContent = "";
		else if (!waiting.length && (isSaving || this.#isLate)) this.#news.textContent = refusal ? "" : this.#link.named ? "Saved" : "Kept in the kernel";
		this.#isLate = waiting.length > 0 && (trouble || this.#isLate || waiting.some(({ late }) => late === true));
	}

	/** Choose a decision, or none. */
	select(id = "") {
		if (id === this.selected) return;
		const [call, old, note, filled] = [this.#call, this.chosen, this.note.value, this.#filled];
		// A note that is half written waits while the one of a decision is shown, also if its decision is gone.
		if (!this.selected) this.#setDraft(call, note);
		else if (!old && note !== filled) this.#setDraft(call, `${this.#draft(call)}\n${note}`.trim());
		this.selected = id;
		this.#fill(this.chosen?.note ?? this.#draft(call));
		if (old) this.#keepNote(call, old, note, filled);
		this.#show();
	}

	/** Choose the next decision of the call, or the one before; it gets the focus. */
	selectNext(steps = 1) {
		const labels = this.#labels;
		if (!labels.length) return;
		const at = labels.findIndex(({ id }) => id === this.selected);
		const next = at < 0 && steps < 0 ? labels.length - 1 : (at + steps + labels.length) % labels.length;
		this.select(labels[next].id);
		if (!this.regions.focus(this.selected)) this.#focusItem(next);
	}

	/** Set the label of a digit key; return whether there is one. */
	decideByDigit(digit = "") {
		const name = this.#names[Number(digit) - 1];
		if (name) this.decide(name);
		return Boolean(name);
	}

	/** Set a label, or take it back where it is set; on what is chosen, else on the region or call. Without a name the note alone is kept. */
	decide(name = "") {
		this.#keepNote();
		const [call, chosen] = [this.#call, this.chosen];
		if (!call || call.key < 0 || (chosen && !name)) return;
		const old = chosen?.label === name ? chosen : name && this.#placed(name, chosen ? spanOf(chosen) : this.#region);
		if (old && chosen && chosen !== old) this.#news.textContent = `“${name}” is set already.`;
		else if (old) this.#decisions.act(call, old);
		else if (chosen) this.#decisions.act(call, chosen, { ...chosen, label: name });
		else if (name || this.note.value.trim()) this.#add(call, name);
	}

	/** @param {Call} call */
	#add(call, label = "") {
		const { start: start_s = null, end: end_s = null } = this.#region ?? {};
		const note = this.note.value.trim();
		this.#fill();
		this.#setDraft(call);
		this.#decisions.act(call, undefined, { label, note, start_s, end_s });
		if (this.#isAuto && label && !this.#region) this.#on.send({ type: "advance", key: call.key });
	}

	/** Take back what is chosen; return whether anything was. */
	removeChosen() {
		return this.#remove(this.selected);
	}

	/** Take back a decision as it is by now. */
	#remove(id = "") {
		const decision = this.#labels.find((each) => each.id === id);
		if (!this.#call || !decision) return false;
		this.#decisions.act(this.#call, decision);
		return true;
	}

	/** Play the region of what is chosen. */
	hear() {
		const { selected, span: region } = this;
		if (!region) return;
		this.#on.hear(region);
		this.select(selected);
	}

	/** Give the region that is chosen other edges; return whether there is one. @param {Span} to */
	move(to) {
		if (this.span) this.#move(this.selected, to);
		return Boolean(this.span);
	}

	undo() {
		this.#keepNote();
		this.#tellOf("Undone", this.#decisions.undo());
	}

	redo() {
		this.#tellOf("Done again", this.#decisions.redo());
	}

	toggleAuto() {
		setPressed(this.#auto, (this.#isAuto = !this.#isAuto));
	}

	/** @param {import("./decisions.js").Act} [act] */
	#tellOf(verb = "", act) {
		const decision = act?.after ?? act?.before;
		const where = act && act.key !== this.#call?.key ? ` (${act.title})` : "";
		this.#news.textContent = decision ? `${verb}: ${named(decision)}${where}` : `Nothing to ${verb === "Undone" ? "undo" : "redo"}.`;
	}

	/** Write down what was changed in the note of the chosen decision. */
	#keepNote(call = this.#call, chosen = this.chosen, text = this.note.value, filled = this.#filled) {
		const note = text.trim();
		if (!chosen || text === filled) return;
		if (chosen.id === this.selected) this.#filled = text;
		if (call && note !== chosen.note && (note || chosen.label)) this.#decisions.act(call, chosen, { ...chosen, note });
	}

	#draft = (call = this.#call) => (call && this.#drafts.get(sessionOf(call))) || "";

	/** @param {Call | undefined} call */
	#setDraft(call, text = "") {
		if (!call || text === this.#draft(call)) return;
		this.#drafts.set(sessionOf(call), text);
		this.#link.notes = [...this.#drafts].filter(([, each]) => each);
	}

	/** Show a note in its field. */
	#fill(note = "") {
		this.note.value = note;
		// The field has line ends of its own.
		this.#filled = this.note.value;
	}

	/** @param {string} id @param {Span} to */
	#move(id, { start, end }) {
		const decision = this.#labels.find((each) => each.id === id);
		if (!this.#call || !decision || end - start < MIN_REGION_S) return;
		const [start_s, end_s] = [start, end].map((each) => Math.round(each * 1000) / 1000);
		if (start_s !== decision.start_s || end_s !== decision.end_s) this.#decisions.act(this.#call, decision, { ...decision, start_s, end_s });
	}

	/** This listener's decision of a label on what a label would be set on now. */
	#placed(label = "", here = this.#region) {
		const isHere = (/** @type {Span | null} */ there) => here && there
			? Math.abs(here.start - there.start) + Math.abs(here.end - there.end) < 2 * SAME_S : here === there;
		return this.#labels.find((each) => each.own && each.label === label && isHere(spanOf(each)));
	}

	#show() {
		const [chosen, labels] = [this.chosen, this.#labels];
		this.node.hidden = !this.#names.length && !labels.length;
		this.#target.textContent = chosen ? `selected: ${named(chosen)}` : this.#region ? `for ${spanText(this.#region)}` : "for the whole call";
		this.#buttons.forEach((node, i) => {
			const name = this.#names[i];
			setPressed(node, chosen ? chosen.label === name : Boolean(this.#placed(name)));
		});
		this.regions.show(labels.filter(spanOf), this.selected);
		whenReleased(this.#showList);
	}

	#showList = () => {
		const labels = this.#labels;
		const state = JSON.stringify([labels, this.selected, this.#link.waiting.map(({ id }) => id)]);
		if (state === this.#listed) return;
		this.#listed = state;
		const root = /** @type {Document} */ (this.#list.getRootNode());
		const lines = [...this.#list.children];
		const at = lines.findIndex((line) => line.contains(root.activeElement));
		const among = at < 0 ? -1 : [...lines[at].children].indexOf(/** @type {Element} */ (root.activeElement));
		this.#list.replaceChildren(...labels.map((each) => this.#line(each)));
		if (at >= 0) this.#focusItem(Math.min(at, labels.length - 1), among);
	};

	#focusItem(at = 0, among = 0) {
		const line = this.#list.children[at];
		if (!line) this.#on.leave();
		else /** @type {HTMLElement} */ (line.children[among] ?? line.firstElementChild).focus();
	}

	/** @param {Decision} decision */
	#line(decision) {
		const { id, note, by, at } = decision;
		const [text, isChosen] = [named(decision), id === this.selected];
		const choose = () => {
			this.select(id);
			this.hear();
		};
		const click = (/** @type {MouseEvent} */ event) => (isChosen && !event.detail ? this.hear() : this.select(id));
		const pick = button({ class: "pick", click, dblclick: choose }, text, ...(by ? [span("faint", ` · ${by}`)] : []));
		if (this.#link.waiting.some((each) => each.id === id)) pick.append(span("faint", " · not saved yet"));
		if (note && note !== text) pick.append(div("said-note", note));
		setPressed(pick, isChosen);
		const when = `${new Date(at).toLocaleString()}${by ? `, ${by}` : ""}`;
		return element("li", { title: when }, pick,
			...(spanOf(decision) ? [iconButton("play", `Hear: ${text}`, choose)] : []),
			iconButton("close", `Take back: ${text}`, () => this.#remove(id)));
	}
}
