// What is said: the text of the open call by turn and speaker. A click seeks, the current word is lit, a search jumps.
import { clamp, clock } from "./clock.js";
import { div, element, iconButton, span } from "./dom.js";

/** The listener reads elsewhere so long after scrolling by hand; then the text follows the sound again. */
const OWN_WAY_MS = 4000;
/** So many words become elements at once, when they come near to sight. */
const SECTION_WORDS = 800;
const TURN_PX = 26;
/** A word stays lit through a short pause. */
const AFTERGLOW_S = 0.6;

/**
 * @typedef {object} WordsEvents
 * @property {(to: number) => void} seek
 * @property {() => void} leave give the focus back to the sound
 * @property {() => void} found other words are hits now
 */

/** Add a block of words from the kernel; one that came before is left out. @param {Call} call @param {any} message */
export function addWords(call, { first, total, note, speakers, turns, word, start, end, unsure }) {
	/** @type {Transcript} */
	const words = (call.words ??= { word: [], start: [], end: [], who: [], turns: [], unsure: new Set(), speakers, total, note });
	if (first !== words.word.length) return;
	for (const [speaker, count] of turns) {
		words.turns.push(words.who.length);
		for (let i = 0; i < count; i++) words.who.push(speaker);
	}
	for (const at of unsure) words.unsure.add(first + at);
	words.word.push(...word);
	words.start.push(...start);
	words.end.push(...end);
}

/** The place of the last of `sorted` whose value (of each, in `values` where given) is not above `limit`, or -1. @param {ArrayLike<number>} sorted @param {number[]} [values] */
export function lastUpTo(sorted, limit = 0, values) {
	let [low, high] = [0, sorted.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		const each = sorted[middle];
		if ((values ? values[each] : each) <= limit) low = middle + 1;
		else high = middle;
	}
	return low - 1;
}

/** Text as it is compared: in small letters, each accent one with its letter. */
const plain = (text = "") => text.normalize("NFKC").toLowerCase();

export class Words {
	node;
	/** The words that have times, in the order of these. */
	byTime = new Uint32Array();
	/** The first word of each place that was found. @type {number[]} */
	hits = [];
	#on;
	#search;
	#count = element("span", { role: "status", class: "faint" });
	#steps = span("set", iconButton("previous", "Previous hit", () => this.#jump(-1)),
		iconButton("next", "Next hit", () => this.#jump(1)));
	#note = div("faint");
	#body;
	/** @type {Call | undefined} */
	#call;
	/** @type {Transcript | undefined} */
	#words;
	/** An element a word, where it was in sight. @type {Element[]} */
	#nodes = [];
	/** The first turn of each section, and its element. @type {Map<Element, number>} */
	#sections = new Map();
	/** How many turns have a section. */
	#placed = 0;
	#near;
	#lit = -1;
	/** The last word of each hit. @type {number[]} */
	#ends = [];
	#hit = -1;
	/** The first word of the current hit. */
	#now = -1;
	/** Whether the listener was taken to the current hit. */
	#went = false;
	/** What is searched: all words, and where each begins. @type {{text: string, begins: number[]} | undefined} */
	#index;
	#ownWayUntil = 0;
	#at = 0;

	/** @param {boolean} areThere whether the player has words at all @param {WordsEvents} on */
	constructor(areThere, on) {
		this.#on = on;
		const [input, keydown] = [() => this.#find(), (/** @type {KeyboardEvent} */ event) => this.#searchKey(event)];
		const label = "Search the words";
		this.#search = element("input", { type: "search", placeholder: `${label} (F)`, label, input, keydown });
		const own = () => (this.#ownWayUntil = Date.now() + OWN_WAY_MS);
		this.#body = element("div", {
			class: "words", tabindex: 0, role: "group", label: "What is said", wheel: own, pointerdown: own, touchmove: own,
			click: (event) => this.#click(event.target),
			keydown: (event) => (event.key.startsWith("Page") ? own() : this.#stepTurn(event)),
		});
		this.node = element("div", { class: "panel transcript", hidden: !areThere },
			div("line", element("h3", {}, "Words"), this.#search, this.#count, this.#steps), this.#note, this.#body);
		this.#steps.hidden = true;
		this.#near = new IntersectionObserver((all) => {
			for (const { target, isIntersecting } of all) if (isIntersecting) this.#build(target);
		}, { root: this.#body, rootMargin: "300px" });
	}

	focus() {
		this.#search.select();
		this.#search.focus();
	}

	/** Show the words of a call as far as they have come; does nothing where nothing is new. @param {Call} call */
	show(call) {
		const words = call.words;
		if (call !== this.#call) {
			[this.#call, this.#words, this.#nodes, this.#lit, this.#index, this.#placed] = [call, words, [], -1, undefined, 0];
			this.byTime = new Uint32Array();
			this.#sections.clear();
			this.#near.disconnect();
			this.#body.replaceChildren();
			this.#find();
		}
		this.#words = words;
		this.#note.textContent = words?.note ?? "";
		this.#body.hidden = !words?.total;
		if (!words || this.#placed === words.turns.length) return;
		const { turns, word } = words;
		while (this.#placed < turns.length) {
			const first = this.#placed;
			while (this.#placed < turns.length && turns[this.#placed] - turns[first] < SECTION_WORDS) this.#placed++;
			const node = element("div", { style: `min-height:${(this.#placed - first) * TURN_PX}px` });
			this.#sections.set(node, first);
			this.#body.append(node);
			this.#near.observe(node);
		}
		if (word.length < words.total) return;
		this.byTime = Uint32Array.from(words.start.keys()).filter((i) => words.start[i] >= 0)
			.sort((a, b) => words.start[a] - words.start[b]);
		this.#index = undefined;
		this.#find();
		this.point(this.#at);
	}

	/** The word that is said at a time, or -1. */
	current(at = 0) {
		const { start = [], end = [] } = this.#words ?? {};
		const i = this.byTime[lastUpTo(this.byTime, at, start)] ?? -1;
		return at < Math.max(end[i], start[i]) + AFTERGLOW_S ? i : -1;
	}

	/** Light the word that is said, and keep it in sight. */
	point(at = 0) {
		this.#at = at;
		const i = this.current(at);
		if (i === this.#lit) return;
		this.#nodes[this.#lit]?.classList.remove("lit");
		this.#nodeOf(i)?.classList.add("lit");
		this.#lit = i;
		if (Date.now() > this.#ownWayUntil) this.#bringIntoSight(i);
	}

	/** Make elements of the words of a section. @param {Element} section */
	#build(section) {
		const [words, first] = [this.#words, this.#sections.get(section) ?? -1];
		if (!words || first < 0 || section.childElementCount) return;
		let turn = first;
		do section.append(this.#turnNode(words, turn));
		while (words.turns[++turn] - words.turns[first] < SECTION_WORDS);
		section.removeAttribute("style");
		this.#paint("hit", true);
		this.#nodes[this.#lit]?.classList.add("lit");
		this.#nodes[this.#now]?.classList.add("now");
	}

	/** The element of a word, made where it is not there yet. */
	#nodeOf(i = -1) {
		if (i >= 0 && !this.#nodes[i]) {
			const turn = lastUpTo(this.#words?.turns ?? [], i);
			const section = [...this.#sections].filter(([, first]) => first <= turn).pop();
			if (section) this.#build(section[0]);
		}
		return this.#nodes[i];
	}

	/** @param {Transcript} words */
	#turnNode({ word, start, who, turns, unsure, speakers }, turn = 0) {
		const [from, to] = [turns[turn], turns[turn + 1] ?? word.length];
		const [name, role, channel] = speakers[who[from]];
		const text = element("p", { dir: "auto" });
		for (let i = from; i < to; i++) {
			this.#nodes[i] = span(`${this.#isThere(i) ? "" : "untimed "}${unsure.has(i) ? "unsure" : ""}`, word[i]);
			text.append(this.#nodes[i], " ");
		}
		return div(`turn ${role || (channel < 0 ? "" : `c${channel % 2}`)}`, span("at", start[from] < 0 ? "" : clock(start[from])),
			element("b", { class: "who", dir: "auto", title: name }, name), text);
	}

	/** Whether a word has a time, and one of the call. */
	#isThere(i = 0) {
		const start = this.#call?.words?.start[i] ?? -1;
		return start >= 0 && start <= (this.#call?.duration_s || Infinity);
	}

	/** Scroll the text, and never the page. */
	#bringIntoSight(i = -1) {
		const [word, body] = [this.#nodeOf(i)?.getBoundingClientRect(), this.#body.getBoundingClientRect()];
		if (!word || !body.height || (word.top >= body.top && word.bottom <= body.bottom)) return;
		const far = Math.abs(word.top - body.top) > 2 * body.height;
		const behavior = far || matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
		this.#body.scrollBy({ top: word.top - body.top - body.height / 3, behavior });
		// The heights of turns that were never in sight are guesses: look again once those here are laid out.
		if (far) requestAnimationFrame(() => this.#bringIntoSight(i));
	}

	/** @param {Element} target */
	#click(target) {
		const words = target.closest(".turn")?.lastElementChild?.children;
		// What was selected is to be copied.
		if (words && !String(getSelection())) this.#go(this.#nodes.indexOf(target.matches("p span") ? target : words[0]));
	}

	#go(i = 0) {
		if (!this.#isThere(i)) return;
		this.#ownWayUntil = 0;
		this.#on.seek(this.#words?.start[i] ?? 0);
	}

	/** With the focus on the text, up and down go from turn to turn. @param {KeyboardEvent} event */
	#stepTurn(event) {
		const by = /^Arrow(Up|Down)$/.test(event.key) && (event.key === "ArrowUp" ? -1 : 1);
		if (!by || !this.#words || event.shiftKey) return;
		event.preventDefault();
		event.stopPropagation();
		const { turns, start } = this.#words;
		const said = this.byTime[lastUpTo(this.byTime, this.#at + 0.01, start)] ?? -1;
		let turn = lastUpTo(turns, said) + by;
		while (turns[turn] >= 0 && !this.#isThere(turns[turn])) turn += by;
		this.#go(turns[turn] ?? -1);
	}

	/** @param {KeyboardEvent} event */
	#searchKey(event) {
		const { key, shiftKey } = event;
		if (event.isComposing || !/^(Enter|Escape)$/.test(key)) return;
		event.preventDefault();
		event.stopPropagation();
		if (key === "Enter") return this.#jump(shiftKey ? -1 : 1);
		this.#search.value = "";
		this.#find();
		this.#on.leave();
	}

	/** Find all places of what is searched for; the current one is the first from where the listener is. */
	#find() {
		const wanted = plain(this.#search.value.trim().replace(/\s+/g, " "));
		this.#paint("hit", false);
		[this.hits, this.#ends, this.#went] = [[], [], false];
		if (this.#words && wanted) {
			const { text, begins } = (this.#index ??= indexed(this.#words));
			for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
				const [from, to] = [at, at + wanted.length - 1].map((each) => lastUpTo(begins, each));
				if (this.hits.at(-1) === from) continue;
				this.hits.push(from);
				this.#ends.push(to);
			}
		}
		this.#paint("hit", true);
		this.#select(clamp(this.hits.findIndex((i) => (this.#words?.start[i] ?? -1) >= this.#at)), wanted);
		this.#on.found();
	}

	#paint(name = "", on = false) {
		this.hits.forEach((from, hit) => {
			for (let i = from; i <= this.#ends[hit]; i++) this.#nodes[i]?.classList.toggle(name, on);
		});
	}

	/** Take the listener to the current hit, or to the next one where that is done. */
	#jump(by = 1) {
		const count = this.hits.length;
		if (!count) return;
		this.#select(this.#went || by < 0 ? (this.#hit + by + count) % count : this.#hit, "again");
		this.#went = true;
		this.#go(this.hits[this.#hit]);
	}

	#select(hit = 0, wanted = "") {
		this.#nodes[this.#now]?.classList.remove("now");
		[this.#hit, this.#now] = [hit, this.hits[hit] ?? -1];
		const count = this.hits.length;
		this.#count.textContent = !wanted ? "" : count ? `${hit + 1} of ${count}` : "no hit";
		this.#steps.hidden = !count;
		this.#nodeOf(this.#now)?.classList.add("now");
		if (count) this.#bringIntoSight(this.#now);
	}
}

/** @param {Transcript} words */
function indexed({ word, turns }) {
	const begins = [];
	const last = new Set(turns.map((first) => first - 1));
	let text = "";
	for (const [i, each] of word.entries()) {
		begins.push(text.length);
		// No hit goes from one turn into the next.
		text += plain(each) + (last.has(i) ? "\n" : " ");
	}
	return { text, begins };
}
