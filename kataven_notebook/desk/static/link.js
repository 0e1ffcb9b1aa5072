// The link to the kernel. What is told of labels is kept here until the kernel says that it is on disk: the kernel may be
// busy, its disk may be full, or it may be gone. Then a new player on the same file takes it, as each has an id made here.

const ANSWER_MS = 2500;
const AGAIN_MS = 10000;
const NAME = "kataven-player-labels";

/**
 * By the file that they are for. Each player has modules of its own, so what they share is the window's.
 * @type {Map<string, Waiting[]>}
 */
const boxes = ((/** @type {any} */ (window))[Symbol.for(NAME)] ??= new Map());

/** An id that nobody else makes. Those of the browser need an encrypted page. */
export const newId = () => Math.random().toString(36).slice(2, 13).padEnd(11, "0");

/** A call that was opened while the kernel was gone has its name from the list alone. @param {Call} call */
export const sessionOf = (call) => call.session ?? call.title;

export class Link {
	/** Whether the kernel, or its side of this player, is gone. */
	gone = false;
	/** Of the file that labels are written to. */
	/** @type {string[]} */
	columns;
	/** Whether a new player may write to that file. */
	/** @type {boolean} */
	named;
	/** What the player does about it. @type {(refusal?: string) => void} */
	change = () => {};
	/** @type {any} */
	model;
	#kernel;
	/** @type {string} */
	#key;
	#heard = false;
	#timer = 0;

	/** @param {any} model @param {{file: string, columns: string[], named: boolean}} outbox */
	constructor(model, { file, columns, named }) {
		[this.model, this.#key, this.columns, this.named] = [model, `${NAME}-${file}`, columns, named];
		// The session's storage outlives a reload of the page, ends with its tab, and is no part of the notebook.
		if (!boxes.has(this.#key)) boxes.set(this.#key, stored(this.#key));
		window.addEventListener(this.#key, this.#change);
		// A kernel that restarts lets its widgets know; one that dies is known to Jupyter's widget manager.
		for (const event of ["comm:close", "comm_live_update"]) model.on(event, this.#probe);
		this.#kernel = model.widget_manager?.kernel;
		this.#kernel?.statusChanged?.connect(this.#status);
		this.#kernel?.disposed?.connect(this.#lose);
	}

	/** What is not saved yet, oldest first: of all players on the file. @returns {Waiting[]} */
	get waiting() {
		return boxes.get(this.#key) ?? [];
	}

	/** Notes that are half written, with their sessions: a reload must not take them. @returns {[string, string][]} */
	get notes() {
		return stored(`${this.#key}-notes`);
	}

	set notes(notes) {
		store(`${this.#key}-notes`, notes);
	}

	/** Whether it waits for more than an answer that comes at once. */
	get trouble() {
		return this.waiting.some(({ overdue, why, owner }) => overdue || why || !owner || owner.gone);
	}

	/** @param {object} message */
	send(message) {
		try {
			// Jupyter throws; marimo promises.
			Promise.resolve(this.model.send(message)).catch(this.#lose);
		} catch {
			this.#lose();
		}
	}

	/** Tell what must not be lost: it is sent until the kernel has answered. @param {Told} told */
	deliver(told) {
		/** @type {Waiting} */
		const entry = { ...told, at: Date.now(), owner: this };
		this.#keep([...this.waiting, entry]);
		this.#transmit(entry);
	}

	/** Send again what waits. */
	retry() {
		this.#mine.forEach(this.#transmit);
	}

	/** Note that the kernel has sent something. */
	hear() {
		if (this.#heard && !this.gone) return;
		for (const each of this.#mine) each.owner = undefined;
		[this.gone, this.#heard] = [false, true];
		this.#change();
	}

	/** Note that the kernel has written something down, or why it never will. */
	settle(op = "", refusal = "") {
		const left = this.waiting.filter((each) => each.op !== op);
		if (left.length < this.waiting.length) this.#keep(left, refusal);
	}

	/** Note that the kernel could not write something down; `again` where it may be able to later. @param {any} problem */
	refused({ op, again, text }) {
		if (!again) return this.settle(op, text);
		for (const each of this.waiting) if (each.op === op) each.why = text;
		this.#tell();
	}

	dispose() {
		this.#lose();
		clearTimeout(this.#timer);
		window.removeEventListener(this.#key, this.#change);
		for (const event of ["comm:close", "comm_live_update"]) this.model.off(event, this.#probe);
		this.#kernel?.statusChanged?.disconnect(this.#status);
		this.#kernel?.disposed?.disconnect(this.#lose);
	}

	/** What goes to this kernel: another view of the player may have told some of it. */
	get #mine() {
		return this.waiting.filter(({ owner }) => owner?.model === this.model);
	}

	/** @param {Waiting[]} waiting */
	#keep(waiting, refusal = "") {
		boxes.set(this.#key, waiting);
		store(this.#key, waiting.map(({ owner, ...each }) => each));
		this.#tell(refusal);
	}

	/** Let all players on the file know. */
	#tell(detail = "") {
		window.dispatchEvent(new CustomEvent(this.#key, { detail }));
	}

	/** @param {Waiting} entry */
	#transmit = ({ state, at, owner, overdue, why, ...told }) => {
		const mine = this.#mine;
		// What is told first must be saved first, also where it can be only later.
		const after = mine[mine.findIndex(({ op }) => op === told.op) - 1]?.op;
		this.send({ ...state, ...told, after, age_s: (Date.now() - at) / 1000 });
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#miss(), ANSWER_MS);
	};

	#miss() {
		const mine = this.#mine;
		if (this.gone || !mine.length) return;
		for (const each of mine) each.overdue = true;
		this.#tell();
		// One is enough for a kernel that is busy: it has the others.
		this.#timer = setTimeout(() => (mine.some(({ why }) => why) ? this.retry() : this.#mine.slice(0, 1).forEach(this.#transmit)), AGAIN_MS);
	}

	/** Take what other players on the file can't deliver any more, and show what there is. @param {any} [event] */
	#change = (event) => {
		for (const each of this.#heard && !this.gone ? this.waiting : []) {
			if (each.owner && !each.owner.gone) continue;
			// The labels of that player may have been others.
			[each.owner, each.late] = [this, true];
			this.#transmit(each);
		}
		this.change(event?.detail);
	};

	#lose = () => {
		if (this.gone) return;
		this.gone = true;
		this.#tell();
	};

	#probe = () => {
		this.#lose();
		// It is there if it answers.
		this.send({ type: "ping" });
	};

	/** @param {any} _ @param {string} status of the kernel */
	#status = (_, status) => {
		if (/dead|restart|terminating/.test(status)) this.#lose();
	};
}

const stored = (name = "") => inStorage((storage) => JSON.parse(storage.getItem(name) ?? "[]")) ?? [];

/** @param {string} name @param {unknown[]} items */
const store = (name, items) => inStorage((storage) => (items.length ? storage.setItem(name, JSON.stringify(items)) : storage.removeItem(name)));

/** Use the page's storage, where it has one. @template T @param {(storage: Storage) => T} use */
function inStorage(use) {
	try {
		return use(sessionStorage);
	} catch {
		return undefined;
	}
}
