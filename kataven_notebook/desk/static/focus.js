// The focus stays in the player, where its keys work: also when what had it is gone, hidden or off.

const FOCUSABLE = "button,select,input,textarea,summary,a[href],[tabindex='0']";

/** Whether an element can have the focus. @param {Element} node */
const takesFocus = (node) => node.isConnected && !node.matches(":disabled") && node.checkVisibility();

/** @param {HTMLElement} node @param {Element} group @returns {HTMLElement[]} */
const peers = (node, group) =>
	[.../** @type {NodeListOf<HTMLElement>} */ (group.querySelectorAll(FOCUSABLE))].filter((each) => each.tagName === node.tagName);

/** @param {Element} root */
const activeIn = (root) => /** @type {Document | ShadowRoot} */ (root.getRootNode()).activeElement;

/**
 * Watch over the focus; return what ends it. Nothing is done while nothing changes.
 * @param {HTMLElement} root @param {HTMLElement[]} homes where the focus goes when there is nothing like what had it
 */
export function keepFocus(root, homes) {
	/** What has the focus, and the groups that it is in with its place in each, the smallest first. */
	/** @type {HTMLElement | undefined} */
	let last;
	/** @type {{group: Element, at: number}[]} */
	let places = [];

	const mend = () => {
		if (!last || !root.isConnected || takesFocus(last)) return;
		const { group, at = 0 } = places.find((each) => each.group.isConnected) ?? {};
		// What was made anew stands at the same place in its group; the next of a list takes the place of one that is gone.
		const like = last.isConnected || !group ? [] : peers(last, group).filter(takesFocus);
		const [next = root] = [...like.slice(Math.min(at, like.length - 1)), ...homes].filter(takesFocus);
		next.focus({ preventScroll: true });
	};
	/** @param {FocusEvent} event */
	const came = (event) => {
		last = /** @type {HTMLElement} */ (event.target);
		places = [];
		for (let group = last.parentElement; group && group !== root; group = group.parentElement)
			places.push({ group, at: peers(last, group).indexOf(last) });
	};
	// A browser may tell of what is about to be removed as if the listener had left: so look when that is done. Who looks
	// at another window has not left.
	/** @param {FocusEvent} event */
	const left = (event) =>
		queueMicrotask(() => {
			if (last !== event.target || root.contains(activeIn(root))) return;
			if (last && !takesFocus(last) && !event.relatedTarget) mend();
			else last = undefined;
		});
	root.addEventListener("focusin", came);
	root.addEventListener("focusout", left);
	const changes = new MutationObserver(mend);
	changes.observe(root, { subtree: true, childList: true, attributeFilter: ["disabled", "hidden", "class", "open"] });
	return () => changes.disconnect();
}
