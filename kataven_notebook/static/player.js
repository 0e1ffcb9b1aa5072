// The page's side of the player: list, picture and sound of calls, and their labels. Calls and sound stay in
// the kernel and come in messages, so that no URL and no sound is in the state that a notebook saves. What
// comes from data is set as text alone; nodes are kept by reference, as there may be a shadow root.

const STALL_MS = 2000;
const RUN_UP_S = 2;
const ROW_PX = 28;
const PAGE_ROWS = 100;
const TOP_PX = 14;
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3];
const TICKS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const SOUNDS = "kataven-player-sounds";
const MARKS = { overlap: "both speak", interruption: "interruption", silence: "long silence", slow: "slow response", mark: "mark" };
const KEYS =
	"Space, K: play, pause|← →: 5 s back, on (Shift: 1 s)|J L: 10 s back, on|[ ]: slower, faster|P N: previous, next call|" +
	"M: next moment|I O: region starts, ends here|R: loop|Esc: clear the region|+ − 0: zoom in, out, all|" +
	"↑ ↓: volume; in the list, choose|1 … 9: set a label, or take it back|U: take back the last|?: this list";
// Drawn, as some fonts lack the signs; those that begin with a space are lines.
const ICONS = {
	play: "M7 4.5v15l12-7.5z",
	pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
	previous: "M6 5h2.4v14H6zM19 5v14L9 12z",
	next: "M15.6 5H18v14h-2.4zM5 5v14l10-7z",
	loop: " M4 11V9a3 3 0 0 1 3-3h12m-3-3 3 3-3 3M20 13v2a3 3 0 0 1-3 3H5m3 3-3-3 3-3",
	volume: " M4 10v4h3l5 4V6L7 10zM16 8.5a5 5 0 0 1 0 7",
	in: " M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5M8 10.5h5M10.5 8v5",
	out: " M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5M8 10.5h5",
	all: " M3 6v12M21 6v12M6.5 12h11M9 9l-3 3 3 3M15 9l3 3-3 3",
	save: " M12 4v11m-4-4 4 4 4-4M5 19.5h14",
	close: " M7 7l10 10M17 7 7 17",
};

/**
 * Make an element: functions become listeners, booleans switch attributes, texts among the children stay text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} props @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]}
 */
function h(tag, props, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(props))
		if (typeof value === "function") node.addEventListener(name, value);
		else if (typeof value === "boolean") node.toggleAttribute(name, value);
		else if (value !== undefined) node.setAttribute(name === "label" ? "aria-label" : name, String(value));
	node.append(...children);
	return node;
}

/** @param {string} name its class @param {...(Node | string)} children */
const div = (name, ...children) => h("div", { class: name }, ...children);

/** @param {string} name its class @param {...(Node | string)} children */
const span = (name, ...children) => h("span", { class: name }, ...children);

/** @param {Props} props @param {...(Node | string)} children */
const button = (props, ...children) => h("button", { type: "button", ...props }, ...children);

/** @param {keyof typeof ICONS} name */
function icon(name) {
	const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	path.setAttribute("d", ICONS[name]);
	path.setAttribute("class", ICONS[name][0] === " " ? "line" : "");
	svg.append(path);
	return svg;
}

/** @param {keyof typeof ICONS} image @param {string} label @param {() => void} click */
const iconButton = (image, label, click, key = "", name = "icon") =>
	button({ class: name, label, title: label + (key && ` (${key})`), click }, icon(image));

/** @param {Element} node */
const press = (node, on = false) => node.setAttribute("aria-pressed", String(on));

const clamp = (value = 0, low = 0, high = Infinity) => Math.max(low, Math.min(value, high));

function clock(seconds = 0, digits = 0) {
	const tenths = Math.floor(clamp(seconds) * 10 + 1e-6);
	const [s, m, h] = [Math.floor(tenths / 10) % 60, Math.floor(tenths / 600) % 60, Math.floor(tenths / 36000)];
	const two = (n = 0) => String(n).padStart(2, "0");
	return `${h ? `${h}:${two(m)}` : m}:${two(s)}${digits ? `.${tenths % 10}` : ""}`;
}

const between = (start = 0, end = 0) => `${clock(start, 1)} – ${clock(end, 1)}`;

/** One for all players of a page, as browsers allow few. @returns {AudioContext} */
const audioContext = () => (/** @type {any} */ (globalThis).katavenAudio ??= new AudioContext());

/** One audio element at a time, and what keeps it playing when its URL dies. @param {SpeakerEvents} on */
function createSpeaker(on) {
	const id = Symbol("player");
	/** @type {Sound | undefined} */ let sound;
	/** @type {Sound | undefined} fresh, for when the one in use fails */ let spare;
	/** @type {number | undefined} where to go when there is sound to go in */ let target;
	/** @type {GainNode[]} */ let gainNodes = [];
	let audio = new Audio();
	let objectUrl = "";
	let [diesAt, aliveAt, askedAt, tries, lastSign] = [0, 0, 0, 0, 0];

	/** @type {Speaker} */ const speaker = {
		wanted: false,
		speed: 1,
		volume: 1,
		loop: false,
		region: null,
		position: () => target ?? audio.currentTime,
		duration: () => (Number.isFinite(audio.duration) ? audio.duration : 0),

		load(next, at, gains) {
			audio.pause();
			URL.revokeObjectURL(objectUrl);
			const mine = (audio = new Audio());
			[sound, spare, gainNodes, tries, askedAt, target] = [undefined, undefined, [], 0, 0, at];
			if (!next) return;
			const events = { loadedmetadata: arrive, error: fail, timeupdate: speaker.keepInRegion, ended: end, seeked: on.change };
			for (const [name, f] of Object.entries(events)) mine.addEventListener(name, () => mine === audio && f());
			point(next);
			speaker.mix(gains);
		},

		play() {
			speaker.wanted = true;
			window.dispatchEvent(new CustomEvent(SOUNDS, { detail: id }));
			const { region, loop } = speaker;
			if (audio.ended || (loop && region && speaker.position() >= region.end)) speaker.seek(region?.start ?? 0);
			aliveAt = Date.now();
			renewIfDead();
			start();
			on.change();
		},

		pause() {
			speaker.wanted = false;
			audio.pause();
			on.change();
		},

		seek(to) {
			aliveAt = Date.now();
			if (audio.readyState) audio.currentTime = to;
			else target = to;
			renewIfDead();
			on.change();
		},

		adjust() {
			audio.defaultPlaybackRate = audio.playbackRate = speaker.speed;
			audio.volume = speaker.volume;
			on.change();
		},

		mix(gains) {
			// WebAudio makes silence of sound from another origin without CORS; a Blob is always ours.
			if (!(sound instanceof Blob) || (!gainNodes.length && gains.every(Boolean))) return;
			const context = audioContext();
			if (!gainNodes.length) {
				const splitter = context.createChannelSplitter(gains.length);
				const merger = context.createChannelMerger(2);
				context.createMediaElementSource(audio).connect(splitter);
				gainNodes = gains.map((_, channel) => {
					const node = context.createGain();
					splitter.connect(node, channel);
					for (const side of gains.length === 2 ? [channel] : [0, 1]) node.connect(merger, 0, side);
					return node;
				});
				merger.connect(context.destination);
			}
			if (speaker.wanted) context.resume();
			gainNodes.forEach((node, channel) => (node.gain.value = gains[channel]));
		},

		keepInRegion() {
			const { region, loop, wanted } = speaker;
			if (loop && wanted && region && audio.currentTime >= region.end) audio.currentTime = region.start;
		},

		renew(fresh) {
			spare = fresh;
			if (askedAt) recover();
			askedAt = 0;
		},

		dispose() {
			clearInterval(timer);
			window.removeEventListener(SOUNDS, onOther);
			speaker.load(undefined, 0, []);
		},
	};

	/** @param {Sound} next Play from there on. */
	function point(next) {
		sound = next;
		aliveAt = Date.now();
		if (next instanceof Blob) audio.src = objectUrl = URL.createObjectURL(next);
		else {
			diesAt = aliveAt + next.livesS * 1000;
			audio.src = next.url;
		}
		audio.preload = "auto";
		audio.preservesPitch = true;
		speaker.adjust();
		if (speaker.wanted) start();
	}

	function arrive() {
		if (target !== undefined) audio.currentTime = target;
		target = undefined;
		on.change();
	}

	function start() {
		if (gainNodes.length) audioContext().resume();
		audio.play().catch((error) => {
			if (error.name !== "NotAllowedError") return; // the others come as an error event, or are a swap
			speaker.pause();
			on.say("The browser wants a click in this page before it plays sound: press play.");
		});
	}

	function end() {
		if (speaker.loop && speaker.wanted) speaker.play();
		else speaker.pause();
	}

	function fail() {
		target = speaker.position();
		if (sound instanceof Blob) on.cantPlay();
		else recover();
	}

	function renewIfDead() {
		if (!sound || sound instanceof Blob || Date.now() < diesAt) return;
		const { buffered } = audio;
		const at = speaker.position();
		for (let i = 0; i < buffered.length; i++) if (buffered.start(i) <= at && at < buffered.end(i)) return;
		recover();
	}

	/** Go on with a fresh URL: the one that is here, or one that the kernel is asked for. */
	function recover() {
		aliveAt = Date.now();
		if (!spare) {
			if (!askedAt) on.needUrl();
			else if (aliveAt - askedAt > 3 * STALL_MS) on.say("Waiting for the kernel to renew the recording's address.");
			askedAt ||= aliveAt;
		} else if (++tries > 4) {
			tries = 0;
			speaker.pause();
			on.say("The storage does not hand this recording over, also at a new address. Press play to try again.");
		} else {
			target = speaker.position();
			const fresh = spare;
			spare = undefined;
			point(fresh);
		}
	}

	/** When a seek meets a dead URL, Chromium says nothing for half a minute: so progress is watched. */
	function watch() {
		if (!sound || sound instanceof Blob) return;
		let sign = audio.currentTime * 1e6;
		for (let i = 0; i < audio.buffered.length; i++) sign += audio.buffered.end(i) - audio.buffered.start(i);
		const waits = audio.seeking || (speaker.wanted && audio.readyState < 3);
		if (!waits) tries = 0;
		if (!waits || sign !== lastSign) aliveAt = Date.now();
		else if (Date.now() - aliveAt >= STALL_MS) recover();
		lastSign = sign;
	}

	const onOther = (/** @type {any} */ event) => event.detail !== id && speaker.wanted && speaker.pause();
	window.addEventListener(SOUNDS, onOther);
	const timer = setInterval(watch, 250);
	return speaker;
}

/**
 * The list of calls: only rows in sight exist here; the kernel sorts and filters.
 * @param {any} first @param {(message: object) => void} send @param {(row: Row, index: number) => void} open
 */
function createGrid(first, send, open) {
	const view = { sort: "", descending: false, status: "", text: "" };
	/** @type {Set<number>} */ const asked = new Set();
	const prefix = `kn${Math.random().toString(36).slice(2)}-`;
	/** @type {number | undefined} to be opened when its row has come */ let awaited;
	let [key, request, typing] = [-1, 0, 0];
	/** @type {Column[]} */ const columns = first.header;
	const heads = columns.map(({ id, title }) =>
		h("div", { role: "columnheader", "aria-sort": "none" }, button({ tabindex: -1, click: () => sortBy(id) }, title)));
	const body = h("div", { role: "rowgroup", class: "rows" });
	const count = span("faint count");
	const search = h("input", { type: "search", placeholder: "Filter by any text", label: "Filter by any text", input() {
		clearTimeout(typing);
		typing = setTimeout(() => show({ text: search.value }), 150);
	} });
	const labelled = first.labels.length ? { labelled: "", unlabelled: "" } : {};
	const status = h("select", { label: "Filter by status", change: () => show({ status: status.value }) },
		h("option", { value: "" }, "All statuses"), ...Object.entries({ ...first.statuses, ...labelled }).map(([name, n]) =>
			h("option", { value: name }, `${name.replace("_", " ")} ${n && `(${n})`}`)));

	/** @type {Grid} */ const grid = {
		rows: new Map(first.rows.entries()),
		total: first.total,
		index: -1,
		bar: div("bar", search, status, count),
		node: h("div", { role: "grid", class: "grid", tabindex: 0, label: "Calls", scroll: draw },
			h("div", { role: "rowgroup", class: "head" }, h("div", { role: "row", "aria-rowindex": 1 }, ...heads)), body),
		step: (by) => go(clamp((awaited ?? grid.index) + by, 0, grid.total - 1)),

		mark(opened, index) {
			[key, grid.index] = [opened, index];
			const [top, height, at] = [grid.node.scrollTop, grid.node.clientHeight - ROW_PX, index * ROW_PX];
			if (index >= 0 && (at < top || at + ROW_PX > top + height)) grid.node.scrollTop = at - height / 2;
			draw();
		},

		receive(message) {
			if (message.request !== request) return;
			[grid.total, grid.index] = [message.total, message.index];
			message.rows.forEach((/** @type {Row} */ row, i = 0) => grid.rows.set(message.start + i, row));
			draw();
			if (awaited !== undefined && grid.rows.has(awaited)) go(awaited);
		},

		relabel(session, labels) {
			for (const row of grid.rows.values()) if (row[0] === session) row[2] = labels;
			draw();
		},
		draw,
	};
	grid.node.style.setProperty("--least", `${columns.length * 104}px`);
	grid.node.style.setProperty("--columns", columns.map(({ id, numeric }) => `${id === "session" ? 1.6 : numeric ? 0.7 : 1}fr`).join(" "));

	function go(index = 0) {
		const row = grid.rows.get(index);
		awaited = row ? undefined : index;
		if (row) open(row, index);
		else if (grid.total) ask(index);
	}

	/** @param {Partial<typeof view>} change */
	function show(change) {
		Object.assign(view, change);
		grid.rows.clear();
		asked.clear();
		request++;
		grid.node.scrollTop = 0;
		ask(0, true);
		const direction = view.descending ? "descending" : "ascending";
		heads.forEach((head, i) => head.setAttribute("aria-sort", columns[i].id === view.sort ? direction : "none"));
	}

	/** Up, down, and as it was. */
	function sortBy(id = "") {
		const again = view.sort === id;
		show({ sort: again && view.descending ? "" : id, descending: again && !view.descending });
	}

	function ask(index = 0, anew = false) {
		const start = index - (index % PAGE_ROWS);
		if (!asked.has(start)) send({ type: "rows", request, start, count: PAGE_ROWS, view: anew ? view : null });
		asked.add(start);
	}

	function draw() {
		const { node, total, index } = grid;
		const from = clamp(Math.floor(node.scrollTop / ROW_PX) - 4);
		const to = Math.min(total, from + Math.ceil((node.clientHeight || 200) / ROW_PX) + 8);
		body.style.height = `${total * ROW_PX}px`;
		body.replaceChildren(...Array.from({ length: clamp(to - from) }, (_, i) => rowNode(from + i)));
		node.setAttribute("aria-rowcount", String(total + 1));
		node.setAttribute("aria-activedescendant", index >= from && index < to ? prefix + index : "");
		count.textContent = `${total.toLocaleString("en")} ${total === 1 ? "call" : "calls"}`;
	}

	function rowNode(index = 0) {
		if (!grid.rows.has(index)) ask(index);
		const [rowKey, state, labels, session, ...cells] = grid.rows.get(index) ?? [-1, "", "", "…"];
		const texts = [session, state.replace("_", " "), ...cells, labels];
		return h("div", { role: "row", class: "row", id: prefix + index, "aria-rowindex": index + 2, style: `top:${index * ROW_PX}px`,
			"aria-selected": String(rowKey === key), click: () => go(index) },
			...columns.map(({ id, numeric }, i) => h("div", { role: "gridcell", title: texts[i], class: numeric ? "number" : "" },
				...(id === "status" ? [h("i", { class: `dot ${state}` })] : []), texts[i] ?? "")));
	}
	return grid;
}

/** The picture of the sound, and the pointer on it. @param {{seek(to: number): void, region(span: Span): void}} on */
function createView(on) {
	/** @type {Call | undefined} */ let call;
	/** @type {{x: number, from: number, scrub: boolean, moved: boolean} | undefined} */ let drag;
	const canvas = h("canvas", { "aria-hidden": "true" });
	const cursor = div("cursor");
	const band = div("band");
	const probe = h("i", {});
	/** @type {View} */ const view = {
		node: h("div", { role: "slider", class: "wave", tabindex: 0, label: "Position in the call", "aria-valuemin": 0, "aria-valuemax": 0,
			"aria-valuenow": 0, pointerdown: onDown, pointermove: onMove, pointerup: onUp, wheel: onWheel }, canvas, band, cursor, probe),
		duration: 0,
		from: 0,
		to: 0,
		region: null,
		laneHeight: () => [84, 60, 40][Math.min(lanes(), 3) - 1],
		draw,

		show(next, duration) {
			if (next !== call || view.to - view.from >= view.duration) [view.from, view.to] = [0, duration];
			[call, view.duration] = [next, duration];
			view.node.setAttribute("aria-valuemax", duration.toFixed(1));
			draw();
		},

		zoom(factor, around) {
			const old = view.to - view.from || 1;
			const wide = clamp(old * factor, Math.min(1, view.duration), view.duration);
			look(around - ((around - view.from) / old) * wide, wide);
		},

		point(at, follow) {
			if (follow && !drag && view.duration && (at > view.to || at < view.from)) look(at, view.to - view.from);
			cursor.hidden = !view.duration || at < view.from || at > view.to;
			cursor.style.transform = `translateX(${clamp(x(at), 0, width() - 2)}px)`;
		},

		setRegion(region) {
			view.region = region;
			band.hidden = !region;
			const [left, right] = [region?.start, region?.end].map((each) => clamp(x(each), 0, width()));
			band.style.cssText = `left:${left}px;width:${right - left}px`;
		},
	};
	const lanes = () => clamp(call?.channels ?? 1, 1, 8);
	const width = () => canvas.clientWidth;
	const x = (seconds = 0) => ((seconds - view.from) / (view.to - view.from || 1)) * width();
	/** @param {MouseEvent} event */
	const secondsAt = (event) => {
		const part = (event.clientX - canvas.getBoundingClientRect().left) / (width() || 1);
		return clamp(view.from + part * (view.to - view.from), 0, view.duration);
	};

	function look(from = 0, wide = 0) {
		view.from = clamp(from, 0, view.duration - wide);
		view.to = view.from + wide;
		draw();
	}

	/** A click seeks; a drag selects, and on the axis seeks. @param {PointerEvent} event */
	function onDown(event) {
		if (event.button || !view.duration) return;
		view.node.focus({ preventScroll: true });
		view.node.setPointerCapture(event.pointerId);
		const scrub = event.clientY > canvas.getBoundingClientRect().bottom - 20;
		drag = { x: event.clientX, from: secondsAt(event), scrub, moved: false };
		if (scrub) on.seek(drag.from);
	}

	/** @param {PointerEvent} event */
	function onMove(event) {
		if (!drag) return;
		const at = secondsAt(event);
		drag.moved ||= Math.abs(event.clientX - drag.x) > 4;
		if (!drag.moved) return;
		if (drag.scrub) on.seek(at);
		else view.setRegion({ start: Math.min(at, drag.from), end: Math.max(at, drag.from) });
	}

	function onUp() {
		const done = drag;
		drag = undefined;
		if (!done || done.scrub) return;
		if (done.moved && view.region) on.region(view.region);
		else on.seek(done.from);
	}

	/** With Ctrl it zooms, sideways it scrolls; else it is the page's. @param {WheelEvent} event */
	function onWheel(event) {
		const wide = view.to - view.from;
		if (event.ctrlKey) view.zoom(event.deltaY > 0 ? 1.25 : 0.8, secondsAt(event));
		else if (event.deltaX) look(view.from + (event.deltaX / (width() || 1)) * wide, wide);
		else return;
		event.preventDefault();
	}

	/** A colour of the style sheet, as a canvas understands it. */
	function colour(name = "") {
		probe.style.color = `var(--kn-${name})`;
		return getComputedStyle(probe).color;
	}

	/** Draw all but the cursor: when sound, view, size or theme change. */
	function draw() {
		const [wide, high, ratio] = [width(), TOP_PX + lanes() * view.laneHeight() + 20, window.devicePixelRatio || 1];
		canvas.style.height = `${high}px`;
		[canvas.width, canvas.height] = [wide * ratio, high * ratio];
		view.setRegion(view.region);
		const context = canvas.getContext("2d");
		if (!context || !view.duration) return;
		context.scale(ratio, ratio);
		for (let lane = 0; lane < lanes(); lane++) drawLane(context, lane);
		drawMarks(context);
		drawAxis(context, high);
	}

	/** @param {CanvasRenderingContext2D} context */
	function drawLane(context, lane = 0) {
		const { peaks, bins_per_s: rate = 100, loudest = 1, marks = [] } = call ?? {};
		const speech = marks.filter((mark) => mark.kind === "speech" && mark.channel === lane);
		const middle = TOP_PX + (lane + 0.5) * view.laneHeight();
		const [loud, quiet, step, perPx] = [colour(`channel${lane % 2}`), colour("quiet"), 3, (view.to - view.from) / width()];
		const gain = Math.min(6, 1 / Math.max(0.01, loudest)); // bounded, so that silence stays flat
		let turn = 0;
		for (let at = 0; at < width(); at += step) {
			const [from, to] = [view.from + at * perPx, view.from + (at + step) * perPx];
			let [top, bin] = [0, Math.floor(from * rate)];
			do top = Math.max(top, peaks?.[lane]?.[bin] ?? 0);
			while (++bin < to * rate);
			while (turn < speech.length && speech[turn].end_s < from) turn++;
			context.fillStyle = !speech.length || speech[turn]?.start_s <= to ? loud : quiet;
			const half = clamp((top / 255) ** 2 * gain, 0.01, 1) * (view.laneHeight() / 2 - 4);
			context.fillRect(at, middle - half, 2, 2 * half);
		}
	}

	/** @param {CanvasRenderingContext2D} context */
	function drawMarks(context) {
		const [lane, all] = [view.laneHeight(), lanes() * view.laneHeight()];
		for (const { kind, start_s: start, end_s: end, channel } of call?.marks ?? []) {
			if (kind === "speech" || end < view.from || start > view.to) continue;
			const [left, wide] = [x(start), Math.max(2, x(end) - x(start))];
			context.fillStyle = colour(kind);
			if (kind === "interruption") context.fill(new Path2D(`M${left - 5} 1h10l-5 10z`));
			else context.fillRect(left, 4, wide, 5);
			context.globalAlpha = 0.14;
			context.fillRect(left, TOP_PX + (channel ?? 0) * lane, wide, channel === null ? all : lane);
			context.globalAlpha = 1;
		}
		context.fillStyle = colour("accent");
		for (const { start_s: start, end_s: end } of call?.labels ?? [])
			if (start !== null && end !== null) context.fillRect(x(start), TOP_PX + all - 3, x(end) - x(start), 3);
	}

	/** @param {CanvasRenderingContext2D} context */
	function drawAxis(context, high = 0) {
		const tick = TICKS_S.find((each) => (each / (view.to - view.from)) * width() >= 64) ?? 7200;
		context.font = `11px ${getComputedStyle(view.node).fontFamily}`;
		context.fillStyle = colour("faint");
		for (let i = Math.ceil(view.from / tick); i * tick <= view.to; i++) {
			const text = clock(i * tick, tick < 1 ? 1 : 0);
			const wide = context.measureText(text).width;
			context.fillRect(Math.round(x(i * tick)), high - 18, 1, 4);
			context.fillText(text, clamp(x(i * tick) - wide / 2, 0, width() - wide), high - 3);
		}
	}
	return view;
}

/** Join list, picture and sound in one view, and speak with the kernel. @param {{model: any, el: HTMLElement}} view */
function render({ model, el }) {
	const first = model.get("first");
	const one = first.total <= 1;
	/** @type {Map<number, Call>} those lately open */ const calls = new Map();
	/** @type {Call | undefined} */ let call;
	/** @type {Moment | undefined} */ let heard;
	/** @type {Set<number>[]} */ const [muted, solo] = [new Set(), new Set()];
	let [request, reported, patience, everyMoment] = [0, 0, 0, !one];
	const send = (/** @type {object} */ message) => model.send(message);
	const speaker = createSpeaker({ change: refresh, say, cantPlay, needUrl: () => send({ type: "url", key: call?.key }) });
	const view = createView({ seek, region: setRegion });
	const grid = createGrid(first, send, (row, index) => choose(row[0], index, row[3]));

	const [title, facts, legend] = [div("title"), div("faint"), div("faint legend")];
	const said = h("div", { role: "status", class: "said" });
	const silent = div("silent");
	const channels = h("div", { class: "channels", role: "group", label: "Channels" });
	const playButton = iconButton("play", "Play", toggle, "Space", "icon main");
	const [time, length, regionText, labelFor] = [span("time"), span("faint"), span("region"), span("faint")];
	const speed = h("select", { label: "Speed", title: "Speed ([ and ])", change: () => setSpeed(Number(speed.value)) },
		...SPEEDS.map((each) => h("option", { value: each }, `${each}×`)));
	const loop = iconButton("loop", "Loop", () => setLoop(!speaker.loop), "R");
	const volume = h("input", { type: "range", max: 1, step: 0.05, label: "Volume", input: () => setVolume(Number(volume.value)) });
	const moments = h("ol", {});
	const scopes = ["All calls", "This call"].map((name, i) => button({ click: () => showMoments(i === 0) }, name));
	/** @type {Element[]} */ const labelButtons = first.labels.map((name = "", i = 0) =>
		button({ class: "label", click: () => label(i) }, h("kbd", {}, String(i + 1)), name));
	const note = h("input", { type: "text", placeholder: "Note: goes with the next label, or Enter", label: "Note", maxlength: 2000 });
	const decisions = h("ul", {});
	const help = h("details", { class: "help" }, h("summary", {}, "Keyboard"), h("dl", {}, ...KEYS.split("|").map((entry) => {
		const [keys, what] = entry.split(": ");
		return div("", h("dt", {}, keys), h("dd", {}, what));
	})));
	const sound = div("sound", channels, div("picture", view.node));
	const root = h("section", { class: "kn-player", label: "Call player", "data-lm-suppress-shortcuts": true, tabindex: -1 },
		h("div", { class: "list", hidden: one }, grid.bar, grid.node),
		div("line", title, facts), said, silent, sound, legend,
		h("div", { class: "transport", role: "group", label: "Playback" },
			span("set", ...(one ? [] : [iconButton("previous", "Previous call", () => grid.step(-1), "P")]), playButton,
				...(one ? [] : [iconButton("next", "Next call", () => grid.step(1), "N")])),
			span("set", time, length), regionText, span("gap"), span("set", speed, loop), span("set", icon("volume"), volume),
			span("set", iconButton("out", "Zoom out", () => zoom(2), "−"), iconButton("all", "Show the whole call", () => zoom(Infinity), "0"),
				iconButton("in", "Zoom in", () => zoom(0.5), "+"),
				...(first.download ? [iconButton("save", "Save this call as a file", save)] : []))),
		div("below",
			h("div", { class: "panel", hidden: !first.moments.length },
				div("line", h("h3", {}, "Moments, worst first"), h("span", { class: "scopes", hidden: one }, ...scopes)), moments),
			h("div", { class: "panel", hidden: !first.labels.length },
				div("line", h("h3", {}, "Labels"), labelFor), div("labels", ...labelButtons), note, decisions)),
		help);

	// -- which call is open

	/** Open a call that was chosen here. */
	function choose(key = 0, index = 0, name = "", at = 0) {
		const known = calls.get(key);
		send({ type: "open", key, at_s: at, page_has_it: known?.sound instanceof Blob, request: ++request });
		switchTo(known ?? { key, index, title: name, reason: "", facts: "" }, at, index);
	}

	/** @param {Call} next */
	function switchTo(next, at = 0, index = 0) {
		calls.delete(next.key);
		calls.set(next.key, next);
		for (const key of calls.keys()) if (calls.size > 6) calls.delete(key);
		// A URL from before may be dead: the kernel sends one that lives.
		if (!(next.sound instanceof Blob)) next.sound = undefined;
		call = next;
		muted.clear();
		solo.clear();
		speaker.load(next.sound, at, gains());
		setRegion(null);
		say("");
		grid.mark(next.key, index);
		if (!next.reason && !next.sound)
			patience = setTimeout(say, 1500, "Waiting for the kernel: the call opens as soon as it is free.");
		showCall();
	}

	function showCall() {
		if (!call) return;
		title.textContent = call.title;
		facts.textContent = call.facts;
		silent.textContent = call.reason;
		silent.hidden = !call.reason;
		sound.hidden = playButton.disabled = Boolean(call.reason);
		view.show(call, duration());
		showChannels();
		const kinds = new Set(call.marks?.map((mark) => String(mark.kind)));
		legend.replaceChildren(...Object.entries(MARKS).filter(([kind]) => kinds.has(kind)).map(([kind, name]) =>
			span("", h("i", { class: `key ${kind}`, style: `color:var(--kn-${kind})` }), name)));
		showMoments(everyMoment);
		showLabels();
		refresh();
	}

	function duration() {
		return call?.duration_s || speaker.duration();
	}

	function showChannels() {
		const count = Math.min(call?.channels ?? 0, 8);
		const off = call?.sound && !(call.sound instanceof Blob);
		channels.replaceChildren(...Array.from({ length: count }, (_, channel) => {
			const name = call?.names?.[channel] ?? `Channel ${channel}`;
			const mixers = Object.entries({ Solo: solo, Mute: muted }).map(([verb, chosen]) => {
				const why = off ? "Needs the sound in the kernel: run audio() on the frame" : `${verb} ${name}`;
				const node = button({ class: "mix", disabled: Boolean(off), label: `${verb} ${name}`, title: why, click() {
					if (!chosen.delete(channel)) chosen.add(channel);
					press(node, chosen.has(channel));
					speaker.mix(gains());
				} }, verb[0]);
				press(node, chosen.has(channel));
				return node;
			});
			return h("div", { class: `channel c${channel % 2}`, style: `height:${view.laneHeight()}px` },
				h("span", { class: "name", title: name }, name), h("span", { hidden: count < 2 }, ...mixers));
		}));
	}

	function gains() {
		const sounds = (channel = 0) => !muted.has(channel) && (!solo.size || solo.has(channel));
		return Array.from({ length: call?.channels ?? 0 }, (_, channel) => Number(sounds(channel)));
	}

	// -- moments and labels

	/** @returns {Moment[]} */
	const listed = () => (everyMoment ? first.moments : (call?.moments ?? []));
	/** @param {Moment} moment */
	const isHeard = (moment) => moment.key === heard?.key && moment.start_s === heard.start_s && moment.kind === heard.kind;

	function showMoments(all = true) {
		everyMoment = all && !one;
		scopes.forEach((scope, i) => press(scope, (i === 0) === everyMoment));
		moments.replaceChildren(...listed().map((moment) => h("li", {},
			button({ "aria-current": String(isHeard(moment)), click: () => hear(moment) }, span("at", clock(moment.start_s)), moment.kind,
				span("faint", moment.detail), h("span", { class: "faint whose", hidden: !everyMoment }, moment.session)))));
		if (!listed().length) moments.append(h("li", { class: "faint" }, "None in this call."));
	}

	/** @param {Moment} moment */
	function hear(moment) {
		const at = clamp(moment.start_s - RUN_UP_S);
		heard = moment;
		if (moment.key === call?.key) seek(at);
		else choose(moment.key, -1, moment.session, at);
		speaker.play();
		[...moments.children].forEach((node, i) => node.firstElementChild?.setAttribute("aria-current", String(isHeard(listed()[i]))));
	}

	function nextMoment() {
		const all = listed();
		if (all.length) hear(all[(all.findIndex(isHeard) + 1) % all.length]);
	}

	const ofWholeCall = (name = "") => call?.labels?.find((each) => each.start_s === null && each.label === name);

	function showLabels() {
		const { region } = view;
		labelFor.textContent = region ? `for ${between(region.start, region.end)}` : "for the whole call";
		labelButtons.forEach((node, i) => press(node, !region && Boolean(ofWholeCall(first.labels[i]))));
		decisions.replaceChildren(...(call?.labels ?? []).map((each) => {
			const where = each.start_s === null ? "" : between(each.start_s, each.end_s ?? 0);
			const text = [each.label, where, each.note].filter(Boolean).join(" · ");
			return h("li", {}, text, each.id ? iconButton("close", `Take back: ${text}`, () => takeBack(each)) : "saving…");
		}));
	}

	/** A second time takes it back. */
	function label(position = 0) {
		const old = view.region ? undefined : ofWholeCall(first.labels[position]);
		if (old) takeBack(old);
		else decide(first.labels[position]);
	}

	/** Without a name it is a note alone. */
	function decide(name = "") {
		const decision = { label: name, note: note.value.trim(), start_s: view.region?.start ?? null, end_s: view.region?.end ?? null };
		if (!call || !(name || decision.note)) return;
		call.labels = [...(call.labels ?? []), { ...decision, id: "" }];
		note.value = "";
		send({ type: "label", key: call.key, ...decision });
		showLabels();
	}

	/** @param {Decision | undefined} decision */
	function takeBack(decision) {
		if (decision?.id) send({ type: "unlabel", key: call?.key, id: decision.id });
	}

	// -- playing

	function toggle() {
		if (speaker.wanted) speaker.pause();
		else if (call && !call.reason) speaker.play();
	}

	function seek(to = 0) {
		speaker.seek(clamp(to, 0, duration() || Infinity));
		view.point(speaker.position(), true);
	}

	/** @param {Span | null} region */
	function setRegion(region) {
		if (region && region.end - region.start < 0.02) region = null;
		view.setRegion(region);
		speaker.region = region;
		setLoop(Boolean(region));
		regionText.hidden = !region;
		if (region) {
			const at = speaker.position();
			regionText.replaceChildren(between(region.start, region.end), iconButton("close", "Clear the region", () => setRegion(null), "Esc"));
			if (at < region.start || at >= region.end) seek(region.start);
		}
		showLabels();
	}

	function setLoop(on = true) {
		speaker.loop = on;
		press(loop, on);
	}

	function setSpeed(to = 1) {
		speaker.speed = to;
		speaker.adjust();
	}

	function setVolume(to = 1) {
		speaker.volume = clamp(to, 0, 1);
		speaker.adjust();
	}

	function zoom(factor = 1) {
		const at = speaker.position();
		view.zoom(factor, at >= view.from && at <= view.to ? at : (view.from + view.to) / 2);
		tick();
	}

	/** Show whether it plays, and tell the kernel at once. */
	function refresh() {
		if (!call) return;
		playButton.replaceChildren(icon(speaker.wanted ? "pause" : "play"));
		playButton.setAttribute("aria-label", speaker.wanted ? "Pause" : "Play");
		[speed.value, volume.value] = [speaker.speed, speaker.volume].map(String);
		if (duration() !== view.duration) view.show(call, duration());
		length.textContent = duration() ? `/ ${clock(duration())}` : "";
		reported = 0;
		tick();
	}

	function tick() {
		const at = speaker.position();
		view.point(at, speaker.wanted);
		time.textContent = clock(at, 1);
		if (!call || Date.now() - reported < 1000) return;
		reported = Date.now();
		view.node.setAttribute("aria-valuenow", at.toFixed(1));
		view.node.setAttribute("aria-valuetext", `${clock(at)} of ${clock(duration())}`);
		send({ type: "state", key: call.key, position_s: at, playing: speaker.wanted, speed: speaker.speed });
	}

	function say(text = "") {
		clearTimeout(patience);
		said.textContent = text;
	}

	function cantPlay() {
		if (!call || call.decoded) return; // what the kernel decoded and the browser refuses stays refused
		call.decoded = true;
		say("The browser can't play this format: the kernel decodes it.");
		send({ type: "decode", key: call.key });
	}

	function save() {
		if (!call?.sound) return;
		const href = call.sound instanceof Blob ? URL.createObjectURL(call.sound) : call.sound.url;
		const name = call.title.replace(/[^\w-]+/g, "_").slice(0, 100);
		h("a", { href, download: `${name}.${call.extension ?? "audio"}`, target: "_blank", rel: "noreferrer" }).click();
		setTimeout(URL.revokeObjectURL, 10000, href);
	}

	// -- keys

	/** @param {KeyboardEvent} event */
	function onKey(event) {
		event.stopPropagation();
		const { key } = event;
		const target = /** @type {Element} */ (event.target);
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		if (target === note && key === "Enter") decide();
		if (target.matches("select,input:not([type=range])") || (key.startsWith("Arrow") && target.matches("[type=range]"))) return;
		// Enter, and Space for who walks by keyboard, press the button that has the focus.
		if (target.matches("button,summary") && (key === "Enter" || (key === " " && target.matches(":focus-visible")))) return;
		const page = Math.floor(grid.node.clientHeight / ROW_PX) - 2;
		/** @type {Record<string, number>} */
		const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -grid.total, End: grid.total };
		if (target === grid.node && steps[key]) grid.step(steps[key]);
		else if (/^[1-9]$/.test(key)) label(Number(key) - 1);
		else if (!act(key.length === 1 ? key.toLowerCase() : key, event.shiftKey ? 1 : 5)) return;
		event.preventDefault();
	}

	/** Do what the key means, if it means something. */
	function act(key = "", hop = 5) {
		const at = speaker.position();
		const faster = (by = 1) => setSpeed(SPEEDS[clamp(SPEEDS.indexOf(speaker.speed) + by, 0, SPEEDS.length - 1)]);
		/** @type {Record<string, () => void>} */
		const actions = {
			" ": toggle, k: toggle, ArrowLeft: () => seek(at - hop), ArrowRight: () => seek(at + hop),
			j: () => seek(at - 10), l: () => seek(at + 10), "[": () => faster(-1), "]": () => faster(1),
			ArrowUp: () => setVolume(speaker.volume + 0.1), ArrowDown: () => setVolume(speaker.volume - 0.1),
			n: () => grid.step(1), p: () => grid.step(-1), m: nextMoment, r: () => setLoop(!speaker.loop),
			i: () => setRegion({ start: at, end: Math.max(view.region?.end ?? duration(), at) }),
			o: () => setRegion({ start: Math.min(view.region?.start ?? 0, at), end: at }), Escape: () => setRegion(null),
			"+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => zoom(Infinity),
			u: () => takeBack(call?.labels?.at(-1)), "?": () => (help.open = !help.open),
		};
		actions[key]?.();
		return key in actions;
	}

	// -- from the kernel

	/** @type {Record<string, (message: any, known: Call | undefined, data: DataView) => void>} */
	const handlers = {
		rows: grid.receive,
		ahead: (message, known) => known || calls.set(message.key, message),
		call(message, known) {
			const { duration_s, facts } = known ?? message;
			const next = Object.assign(known ?? {}, message, known?.peaks && { duration_s, facts });
			if (message.request && message.request !== request) return; // the answer to an earlier choice
			if (call !== next) return switchTo(next, next.at_s, next.index);
			if (next.reason) say();
			grid.mark(next.key, next.index);
			showCall();
		},
		facts(message, known) {
			if (known) Object.assign(known, message.facts);
			if (known === call) showCall();
		},
		peaks(message, known, data) {
			if (!known) return;
			known.bins_per_s = message.bins_per_s;
			known.peaks ??= Array.from({ length: message.channels }, () => new Uint8Array(message.total_bins));
			const bins = data.byteLength / message.channels;
			known.peaks.forEach((peaks, channel) => {
				const part = new Uint8Array(data.buffer, data.byteOffset + channel * bins, bins);
				peaks.set(part.subarray(0, clamp(peaks.length - message.first_bin)), message.first_bin);
				for (const each of part) known.loudest = Math.max(known.loudest ?? 0, (each / 255) ** 2);
			});
			if (known === call) view.draw();
		},
		sound({ part, parts, mime, decoded, extension }, known, data) {
			if (!known) return;
			if (!part) known.parts = [];
			known.parts?.push(/** @type {BlobPart} */ (data));
			if (known.parts?.length !== parts || (known.sound instanceof Blob && !decoded)) return;
			known.sound = new Blob(known.parts, { type: mime });
			known.extension = extension;
			if (known !== call) return;
			say();
			speaker.load(known.sound, speaker.position(), gains());
			showChannels();
			// What comes next is fetched while the kernel is free, so that it opens without waiting.
			const next = grid.rows.get(grid.index + 1);
			if (next && !calls.has(next[0])) send({ type: "open", key: next[0], ahead: true });
		},
		url({ url, lives_s: livesS }, known) {
			if (!known || known !== call) return;
			say();
			if (call.sound) speaker.renew({ url, livesS });
			else speaker.load({ url, livesS }, speaker.position(), []);
			call.sound = { url, livesS };
			showChannels();
		},
		labels(message, known) {
			if (known) known.labels = message.labels;
			grid.relabel(message.key, message.text);
			showLabels();
			view.draw();
		},
		problem: (message, known) => known === call && say(message.text),
		command({ name, position_s: to }) {
			if (name === "seek") seek(to);
			else if ((name === "play") !== speaker.wanted) toggle();
		},
	};
	const receive = (/** @type {any} */ message, /** @type {DataView[]} */ buffers) =>
		handlers[message.type]?.(message, calls.get(message.key), buffers[0]);

	const redraw = () => {
		view.draw();
		grid.draw();
		tick();
	};
	root.addEventListener("keydown", onKey);
	root.addEventListener("mousedown", (event) => {
		event.stopPropagation();
		// A click on what takes no focus would give it, and so the keys, back to the notebook.
		const target = /** @type {Element} */ (event.target);
		if (!target.closest("button,input,select,summary,[tabindex='0']")) root.focus({ preventScroll: true });
	});
	// JupyterLab reads keys before the widget does, and spares what has its attribute. Combinations with Ctrl
	// or Cmd are the notebook's, so that it can be saved from here.
	const spare = (/** @type {KeyboardEvent} */ event) =>
		root.toggleAttribute("data-lm-suppress-shortcuts", !event.ctrlKey && !event.metaKey);
	window.addEventListener("keydown", spare, true);
	const resized = new ResizeObserver(redraw);
	resized.observe(view.node);
	// The colour of the picture's text has a transition, so that any change of theme is an event.
	view.node.addEventListener("transitionend", redraw);
	let frame = requestAnimationFrame(function each() {
		if (speaker.wanted) {
			speaker.keepInRegion();
			tick();
		}
		frame = requestAnimationFrame(each);
	});

	el.replaceChildren(root);
	model.on("msg:custom", receive);
	if (first.opened) switchTo({ ...first.opened }, first.opened.at_s, first.opened.index);
	else say("There are no calls in this frame.");
	send({ type: "ready" });
	return () => {
		speaker.dispose();
		model.off("msg:custom", receive);
		cancelAnimationFrame(frame);
		resized.disconnect();
		window.removeEventListener("keydown", spare, true);
	};
}

export default { render };
