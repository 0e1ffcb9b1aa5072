// What is decided on calls: it stands here at once, is told to the kernel, and can be undone and redone.

/** @typedef {{key: number, title: string, id: string, before?: Decision, after?: Decision}} Act */

/** An id that nobody else makes. Those of the browser need an encrypted page. */
const newId = () => Math.random().toString(36).slice(2, 13).padEnd(11, "0");

export class Decisions {
	#send;
	#changed;
	#by;
	/** What the kernel has not answered yet; its answers to earlier ones must not undo it. */
	/** @type {{op: string, key: number, id: string, state?: Decision}[]} */
	#told = [];
	/** @type {Act[]} */
	#done = [];
	/** @type {Act[]} */
	#undone = [];

	/** @param {(message: object) => void} send @param {(key: number) => void} changed @param {string | null} by who decides */
	constructor(send, changed, by) {
		this.#send = send;
		this.#changed = changed;
		this.#by = by;
	}

	/**
	 * Decide something new, make a decision another one, or, without `content`, take it back.
	 * @param {Call} call @param {Decision | undefined} before @param {Content} [content]
	 */
	act({ key, title }, before, content) {
		const id = before?.id ?? newId();
		const after = content && { ...content, id, by: this.#by, at: new Date().toISOString(), own: true };
		const act = { key, title, id, before, after };
		this.#undone = [];
		this.#done.push(act);
		this.#tell(act, after, !before);
	}

	/** Return what was undone. */
	undo() {
		return this.#turn(this.#done, this.#undone, "before");
	}

	/** Return what was done again. */
	redo() {
		return this.#turn(this.#undone, this.#done, "after");
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

	/** @param {Act[]} from @param {Act[]} to @param {"before" | "after"} what stands then */
	#turn(from, to, what) {
		const act = from.pop();
		if (act) {
			to.push(act);
			this.#tell(act, act[what]);
		}
		return act;
	}

	/** Each message says all of what is to be, so that it may arrive twice. @param {Act} act @param {Decision} [state] */
	#tell({ key, id }, state, isNew = false) {
		const op = newId();
		this.#told.push({ op, key, id, state });
		const message = { op, key, id, ...state };
		if (isNew) this.#send({ type: "label", ...message });
		else if (state) this.#send({ type: "relabel", ...message });
		else this.#send({ type: "unlabel", ...message });
		this.#changed(key);
	}
}
