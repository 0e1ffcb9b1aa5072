// What each key does, and which keys the front end gets. The list that users see is KEYS of desk/captions.py.

// With Ctrl or Cmd these stay the front end's: save, print, find, its panels. Not those with which a notebook runs, merges,
// moves, selects or undoes cells.
const FRONT_END_KEYS = /^[^\sadmrvxyz-]$/i;

/** @param {KeyboardEvent} event */
const isFrontEnds = (event) => (event.ctrlKey || event.metaKey) && FRONT_END_KEYS.test(event.key);

/**
 * Keep keys that are pressed in the player from the front end; return what ends it.
 *
 * Jupyter looks for a shortcut on the element that has the focus and then on those above it, up to one with this
 * attribute. Its shortcuts for cells are of whatever has the focus in a notebook. So that element itself has to have the
 * attribute, whichever it is, before Jupyter gets the key: it listens at the document, so this listens at the window.
 * @param {Element} root
 */
export function keepKeys(root) {
	/** @param {KeyboardEvent} event */
	const keep = (event) => {
		const { target } = event;
		if (target instanceof Element && event.composedPath().includes(root))
			target.toggleAttribute("data-lm-suppress-shortcuts", !isFrontEnds(event));
	};
	window.addEventListener("keydown", keep, true);
	return () => window.removeEventListener("keydown", keep, true);
}

/** Whether a key is for the control that has the focus. @param {string} key @param {Element} target */
function isOfControl(key, target) {
	if (target.matches("select,textarea,input:not([type=range])")) return true;
	if (key.startsWith("Arrow") && target.matches("[type=range]")) return true;
	// Enter presses the button that has the focus; so does Space for users who move the focus by keyboard.
	const presses = key === "Enter" || (key === " " && target.matches(":focus-visible"));
	return presses && target.matches("button,summary,a");
}

/** @param {import("./player.js").Player} player @returns {(event: KeyboardEvent) => void} */
export const keyHandler = (player) => (event) => {
	// Some front ends listen at the document on the event's way back.
	if (isFrontEnds(event)) return;
	event.stopPropagation();
	const { key } = event;
	const target = /** @type {Element} */ (event.target);
	// Enter also ends a word of a script that is composed.
	if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
	if (target === player.labels.note && key === "Enter" && !event.shiftKey) {
		player.labels.decide();
		event.preventDefault();
	}
	if (player.labels.regions.press(event)) return;
	if (isOfControl(key, target)) return;
	const page = player.list.pageRows;
	/** @type {Record<string, number>} */
	const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
	if (target === player.list.node && steps[key]) player.list.step(steps[key]);
	// A digit that is held sets its label once.
	else if (!(event.repeat && Number(key)) && !player.labels.decideByDigit(key)) {
		const action = actions(player, event.shiftKey)[key.length === 1 ? key.toLowerCase() : key];
		if (!action) return;
		action();
	}
	event.preventDefault();
};

/** @param {import("./player.js").Player} player @returns {Record<string, () => void>} */
function actions(player, shift = false) {
	const { speaker, timeline, list, labels } = player;
	const hop_s = shift ? 1 : 5;
	const at = speaker.position;
	return {
		" ": () => player.toggle(),
		k: () => player.toggle(),
		ArrowLeft: () => player.seek(at - hop_s),
		ArrowRight: () => player.seek(at + hop_s),
		j: () => player.seek(at - 10),
		l: () => player.seek(at + 10),
		"[": () => speaker.faster(-1),
		"]": () => speaker.faster(1),
		ArrowUp: () => (hop_s === 1 ? timeline.raise(1.5) : speaker.louder(0.1)),
		ArrowDown: () => (hop_s === 1 ? timeline.raise(1 / 1.5) : speaker.louder(-0.1)),
		Home: () => player.seek(0),
		End: () => player.seek(player.duration),
		PageUp: () => timeline.turn(-1),
		PageDown: () => timeline.turn(1),
		s: () => timeline.toggleSpectrogram(),
		n: () => list.step(1),
		p: () => list.step(-1),
		m: () => player.moments.next(),
		",": () => player.legend.step(-1),
		".": () => player.legend.step(1),
		f: () => player.words.focus(),
		r: () => player.transport.toggleLoop(),
		g: () => player.toggleSkip(),
		i: () => player.setEdge({ start: at }),
		o: () => player.setEdge({ end: at }),
		Escape: () => player.setRegion(null),
		"+": () => player.zoom(0.5),
		"=": () => player.zoom(0.5),
		"-": () => player.zoom(2),
		0: () => player.zoom(Infinity),
		t: () => labels.selectNext(shift ? -1 : 1),
		Enter: () => labels.hear(),
		Delete: () => labels.removeChosen(),
		Backspace: () => labels.removeChosen(),
		z: () => (shift ? labels.redo() : labels.undo()),
		u: () => labels.undo(),
		a: () => labels.toggleAuto(),
		"/": () => player.list.focusFilter(),
		"?": () => player.toggleHelp(),
	};
}
