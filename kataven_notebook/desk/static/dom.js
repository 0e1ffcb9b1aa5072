// Elements of the page. Data is set as text alone, as a session id or a note may hold markup.

// Those with a space in front are drawn as lines, the others are filled.
const ICONS = {
	play: "M7 4.5v15l12-7.5z",
	pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
	previous: "M6 5h2.4v14H6zM19 5v14L9 12z",
	next: "M15.6 5H18v14h-2.4zM5 5v14l10-7z",
	skip: " M4 6l6 6-6 6M12 6l6 6-6 6M21 6v12",
	loop: " M4 11V9a3 3 0 0 1 3-3h12m-3-3 3 3-3 3M20 13v2a3 3 0 0 1-3 3H5m3 3-3-3 3-3",
	in: " M5 12h14M12 5v14",
	out: " M5 12h14",
	all: " M4 6v12M20 6v12M8 12h8m-6-3-3 3 3 3m4-6 3 3-3 3",
	volume: " M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
	muted: " M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5m0-5-5 5",
	fold: " M7 10l5 5 5-5",
	save: " M12 4v11m-4-4 4 4 4-4M5 19.5h14",
	close: " M7 7l10 10M17 7 7 17",
};

/** @typedef {Record<string, string | number | boolean | undefined | ((event: any) => void)>} Props */

/**
 * Make an element: functions become listeners, booleans switch attributes, and texts stay text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} props @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, props, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(props))
		if (typeof value === "function") node.addEventListener(name, value);
		else if (typeof value === "boolean") node.toggleAttribute(name, value);
		else node.setAttribute(name === "label" ? "aria-label" : name, String(value));
	node.append(...children);
	return node;
}

/** @param {string} name @param {...(Node | string)} children */
export const div = (name, ...children) => element("div", { class: name }, ...children);

/** @param {string} name @param {...(Node | string)} children */
export const span = (name, ...children) => element("span", { class: name }, ...children);

/** @param {Props} props @param {...(Node | string)} children */
export const button = (props, ...children) => element("button", { type: "button", ...props }, ...children);

/** @param {keyof typeof ICONS} name */
export function icon(name) {
	const path = svg("path", { d: ICONS[name], class: ICONS[name][0] === " " ? "line" : "" });
	return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, path);
}

/** @param {Record<string, string>} props @param {...Node} children */
export function svg(tag = "", props = {}, ...children) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
	node.append(...children);
	return node;
}

/** @param {keyof typeof ICONS} image @param {string} label @param {() => void} click */
export const iconButton = (image, label, click, key = "", name = "icon") =>
	button({ class: name, label, title: label + (key && ` (${key})`), click }, icon(image));

/** @param {Blob | string} what a file, or where it is */
export function saveAs(what, download = "") {
	const href = typeof what === "string" ? what : URL.createObjectURL(what);
	element("a", { href, download, target: "_blank", rel: "noreferrer" }).click();
	setTimeout(URL.revokeObjectURL, 10000, href);
}

let isHeld = false;
/** @type {Set<() => void>} */
const due = new Set();

/** A button of the pointer goes down: what is under it must be there until it comes up, or there is no click. */
export function hold() {
	const release = () =>
		setTimeout(() => {
			isHeld = false;
			for (const work of due) work();
			due.clear();
		});
	isHeld = true;
	for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, release, { once: true });
}

/** Do what replaces elements now, or when no button of the pointer is down. @param {() => void} work */
export const whenReleased = (work) => void (isHeld ? due.add(work) : work());

/** @param {Element} node */
export const setPressed = (node, on = false) => node.setAttribute("aria-pressed", `${on}`);
