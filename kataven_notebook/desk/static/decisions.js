// What is decided on calls: it stands here at once, is told to the kernel, and can be undone and redone.
import { newId, sessionOf } from "./link.js";

/** @type {(keyof Content)[]} */
const FIELDS = ["label", "note", "start_s", "end_s"];

/** @typedef {{key: number, title: string, session: string, id: string, before?: Decision, after?: Decision}} Act */

export class Decisions {
	#link;
	#saving;
	#by;
	/** @type {Act[]} */
	#done = [];
	/** @type {Act[]} */
	#undone = [];

	/** @param {import("./link.js").Link} link @param {() => void} saving @param {string | null} by who decides */
	constructor(link, saving, by) {
		this.#link = link;
		this.#saving = saving;
		this.#by = by;
	}

	/**
	 * Decide something new, make a decision another one, or, without `content`, take it back.
	 * @param {Call} call @param {Decision | undefined} before @param {Content} [content]
	 */
	act(call, before, content) {
		const id = before?.id ?? newId();
		const after = content && { ...content, id, by: this.#by, at: new Date().toISOString(), own: true };
		const act = { key: call.key, title: call.title, session: sessionOf(call), id, before, after };
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

	/** The decisions on a call as they are when all that waits is saved. @param {Call} call */
	of(call) {
		const labels = [...(call.labels ?? [])];
		for (const { session, id, state } of this.#link.waiting) {
			if (session !== sessionOf(call)) continue;
			const at = labels.findIndex((each) => each.id === id);
			labels.splice(at < 0 ? labels.length : at, at < 0 ? 0 : 1, ...(state ? [state] : []));
		}
		return labels;
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

	/**
	 * Each message says all of what is to be, so that it may arrive twice, and which of it is new: what another player has
	 * changed meanwhile stays.
	 * @param {Act} act @param {Decision} [state]
	 */
	#tell({ key, title, session, id, before, after }, state, isNew = false) {
		this.#saving();
		const known = state === after ? before : after;
		const changed = state && known && FIELDS.filter((name) => state[name] !== known[name]);
		const type = isNew ? "label" : state ? "relabel" : "unlabel";
		this.#link.deliver({ type, op: isNew ? id : newId(), key, title, session, id, by: this.#by, state, changed });
	}
}
