// What is decided on calls: it stands here at once, is told to the kernel, and can be undone and redone.

/** @typedef {{key: number, title: string, id: string, before?: Decision, after?: Decision}} Act */

const MAX_ACTS = 500;

/** An id that nobody else makes. Those of the browser need an encrypted page. */
const newId = () => Math.random().toString(36).slice(2, 13).padEnd(11, "0");

export class Decisions {
	#send;
	#changed;
	#annotator;
	/** What the kernel has not answered yet; its answers to earlier ones must not undo it. */
	/** @type {{op: string, key: number, id: string, state?: Decision}[]} */
	#told = [];
	/** @type {Act[]} */
	#done = [];
	/** @type {Act[]} */
	#undone = [];

	/** @param {(message: object) => void} send @param {(key: number) => void} changed @param {string | null} annotator */
	constructor(send, changed, annotator) {
		this.#send = send;
		this.#changed = changed;
		this.#annotator = annotator;
	}

	/** Decide something new on a call. @param {Call} call @param {Content} content */
	add(call, content) {
		const id = newId();
		this.#act({ key: call.key, title: call.title, id, after: this.#mine({ id, ...content }) }, true);
	}

	/** @param {Call} call @param {Decision} before @param {Partial<Content>} change */
	change(call, before, change) {
		const { key, title } = call;
		this.#act({ key, title, id: before.id, before, after: this.#mine({ ...before, ...change }) });
	}

	/** @param {Call} call @param {Decision} before */
	remove({ key, title }, before) {
		this.#act({ key, title, id: before.id, before });
	}

	/** Return what was undone. @returns {Act | undefined} */
	undo() {
		const act = this.#done.pop();
		if (act) this.#undone.push(act);
		if (act) this.#tell(act, act.before);
		return act;
	}

	/** Return what was done again. @returns {Act | undefined} */
	redo() {
		const act = this.#undone.pop();
		if (act) this.#done.push(act);
		if (act) this.#tell(act, act.after);
		return act;
	}

	/** The kernel has taken a message in; return whether it has taken all. */
	answered(op = "") {
		this.#told = this.#told.filter((each) => each.op !== op);
		return !this.#told.length;
	}

	/** Put what the kernel does not know yet over what it says of a call. @param {Call} call */
	settle(call) {
		for (const { key, id, state } of this.#told) {
			if (key !== call.key) continue;
			const labels = [...(call.labels ?? [])];
			const at = labels.findIndex((each) => each.id === id);
			labels.splice(at < 0 ? labels.length : at, at < 0 ? 0 : 1, ...(state ? [state] : []));
			call.labels = labels;
		}
	}

	/** @param {Omit<Decision, "by" | "at" | "own">} content @returns {Decision} */
	#mine(content) {
		return { ...content, by: this.#annotator, at: new Date().toISOString(), own: true };
	}

	/** @param {Act} act */
	#act(act, isNew = false) {
		this.#undone = [];
		this.#done.push(act);
		if (this.#done.length > MAX_ACTS) this.#done.shift();
		this.#tell(act, act.after, isNew);
	}

	/** Each message says all of what is to be, so that it may arrive twice. @param {Act} act @param {Decision} [state] */
	#tell({ key, id }, state, isNew = false) {
		const op = newId();
		this.#told.push({ op, key, id, state });
		const { label = "", note = "", start_s = null, end_s = null } = state ?? {};
		const content = { op, id, key, label, note, start_s, end_s };
		if (isNew) this.#send({ type: "label", ...content });
		else if (state) this.#send({ type: "relabel", ...content });
		else this.#send({ type: "unlabel", op, id, key });
		this.#changed(key);
	}
}
