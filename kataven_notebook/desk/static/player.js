// The page's side of the player. URLs and sound come in messages, so that none is saved with a notebook; data is
// set as text alone; nodes are kept by reference, as there may be a shadow root. Types: tests/browser/player.d.ts

const STALL_MS = 2000;
const ROW_PX = 28;
const PAGE_ROWS = 100;
const TOP_PX = 26;
const LANE_PX = 60;
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3];
const TICKS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const SOUNDS = "kataven-player-sounds";
// Those with a space in front are lines.
const ICONS = {
	play: "M7 4.5v15l12-7.5z",
	pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
	previous: "M6 5h2.4v14H6zM19 5v14L9 12z",
	next: "M15.6 5H18v14h-2.4zM5 5v14l10-7z",
	loop: " M4 11V9a3 3 0 0 1 3-3h12m-3-3 3 3-3 3M20 13v2a3 3 0 0 1-3 3H5m3 3-3-3 3-3",
	in: " M5 12h14M12 5v14",
	out: " M5 12h14",
	save: " M12 4v11m-4-4 4 4 4-4M5 19.5h14",
	close: " M7 7l10 10M17 7 7 17",
};

/**
 * Make an element: functions become listeners, booleans switch attributes, and texts stay text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} props @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]}
 */
function h(tag, props, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(props))
		if (typeof value === "function") node.addEventListener(name, value);
		else if (typeof value === "boolean") node.toggleAttribute(name, value);
		else node.setAttribute(name === "label" ? "aria-label" : name, String(value));
	node.append(...children);
	return node;
}

/** @param {"div" | "span"} tag @returns {(name: string, ...children: (Node | string)[]) => HTMLElement} */
const classed = (tag) => (name, ...children) => h(tag, { class: name }, ...children);
const [div, span] = [classed("div"), classed("span")];

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
const press = (node, on = false) => node.setAttribute("aria-pressed", `${on}`);

const clamp = (value = 0, low = 0, high = Infinity) => Math.max(low, Math.min(value, high));

function clock(seconds = 0, digits = 0) {
	const tenths = Math.floor(clamp(seconds) * 10 + 1e-6);
	const [s, m, h] = [Math.floor(tenths / 10) % 60, Math.floor(tenths / 600) % 60, Math.floor(tenths / 36000)];
	const two = (n = 0) => String(n).padStart(2, "0");
	return `${h ? `${h}:${two(m)}` : m}:${two(s)}${digits ? `.${tenths % 10}` : ""}`;
}

/** @param {Span} span */
const between = ({ start, end }) => `${clock(start, 1)} – ${clock(end, 1)}`;

/** One a page, as browsers allow few. @returns {AudioContext} */
const audioContext = () => (/** @type {any} */ (globalThis).katavenAudio ??= new AudioContext());

/** One audio element at a time, and what keeps it playing when its URL dies. @type {(on: SpeakerEvents) => Speaker} */
const createSpeaker = (on) => {
	/** @type {Sound | undefined} */ let sound;
	/** @type {Sound | undefined} fresh, for when the one in use fails */ let spare;
	/** @type {number | undefined} where to go once there is sound */ let target;
	/** @type {GainNode[]} */ let gainNodes = [];
	let audio = new Audio();
	let objectUrl = "";
	let [aliveAt, tries, lastSign, asked] = [0, 0, 0, false];

	/** @type {Speaker} */ const speaker = {
		wanted: false,
		speed: 1,
		volume: 1,
		loop: false,
		region: null,
		position: () => target ?? audio.currentTime,
		duration: () => (Number.isFinite(audio.duration) ? audio.duration : 0),

		load(next, at, gains) {
			const [old, mine] = [audio, new Audio()];
			audio = mine;
			old.pause();
			old.src = "";
			URL.revokeObjectURL(objectUrl);
			[sound, spare, gainNodes, asked, target, aliveAt] = [next, undefined, [], false, at, Date.now()];
			if (!next) return;
			for (const [name, f] of Object.entries(events)) mine.addEventListener(name, () => mine === audio && f());
			mine.src = next instanceof Blob ? (objectUrl = URL.createObjectURL(next)) : next.url;
			speaker.adjust();
			speaker.mix(gains);
			if (speaker.wanted) start();
		},

		play() {
			speaker.wanted = true;
			window.dispatchEvent(new CustomEvent(SOUNDS, { detail: speaker }));
			const { region, loop } = speaker;
			if (audio.ended || (loop && region && speaker.position() >= region.end)) speaker.seek(region?.start ?? 0);
			aliveAt = Date.now();
			if (spare) recover();
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
			if (spare) recover(); // the old one may be dead
			on.change();
		},

		adjust() {
			audio.defaultPlaybackRate = audio.playbackRate = speaker.speed;
			audio.volume = speaker.volume;
			on.change();
		},

		mix(gains) {
			// WebAudio makes silence of sound from elsewhere without CORS; a Blob is ours.
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
			if (asked) recover();
			asked = false;
		},

		dispose() {
			clearInterval(timer);
			window.removeEventListener(SOUNDS, onOther);
			speaker.load(undefined, 0, []);
		},
	};

	const events = {
		seeked: on.change,
		loadedmetadata() {
			if (target !== undefined) audio.currentTime = target;
			target = undefined;
			on.change();
		},
		ended() {
			if (speaker.loop && speaker.wanted) speaker.play();
			else speaker.pause();
		},
		error() {
			target = speaker.position();
			if (sound instanceof Blob) on.cantPlay();
			else recover();
		},
	};

	function start() {
		if (gainNodes.length) audioContext().resume();
		audio.play().catch((error) => {
			if (error.name !== "NotAllowedError") return;
			speaker.pause();
			on.say("The browser wants a click: press play.");
		});
	}

	/** Go on with a fresh URL, here or asked for. */
	function recover() {
		aliveAt = Date.now();
		if (!spare) {
			if (!asked) on.needUrl();
			else on.say("Waiting for the kernel to renew the URL.");
			asked = true;
		} else if (++tries > 4) {
			tries = 0;
			speaker.pause();
			on.say("No sound came. Play tries again; audio() says why.");
		} else speaker.load(spare, speaker.position(), []);
	}

	/** Of a dead URL Chromium says nothing for half a minute: so progress is watched. */
	function watch() {
		if (!sound || sound instanceof Blob) return;
		const { buffered } = audio;
		const sign = audio.currentTime + (buffered.length && buffered.end(buffered.length - 1));
		const waits = audio.seeking || (speaker.wanted && audio.readyState < 3);
		if (!waits) tries = 0;
		if (!waits || sign !== lastSign) aliveAt = Date.now();
		else if (Date.now() - aliveAt >= STALL_MS) recover();
		lastSign = sign;
	}

	const onOther = (/** @type {any} */ event) => event.detail !== speaker && speaker.wanted && speaker.pause();
	window.addEventListener(SOUNDS, onOther);
	const timer = setInterval(watch, 250);
	return speaker;
};

/** The list of calls: only rows in sight exist here; the kernel sorts and filters. @type {CreateGrid} */
const createGrid = (first, send, open) => {
	const view = { sort: "", descending: false, status: "", text: "" };
	/** @type {Set<number>} */ const asked = new Set();
	const prefix = `kn${Math.random().toString(36).slice(2)}-`;
	/** @type {number | undefined} opened when its row comes */ let awaited;
	let [key, request] = [-1, 0];
	/** @type {Column[]} */ const columns = first.header;
	const heads = columns.map(({ id, title }) =>
		h("div", { role: "columnheader", "aria-sort": "none" }, button({ click: () => sortBy(id) }, title)));
	const body = h("div", { role: "rowgroup", class: "rows" });
	const count = span("faint count");
	const search = h("input", { type: "search", placeholder: "Filter by any text", label: "Filter", input: () => show({ text: search.value }) });
	const status = h("select", { label: "Filter by status", change: () => show({ status: status.value }) },
		...first.statuses.map(([value = "", text = ""]) => h("option", { value }, text)));

	/** @type {Grid} */ const grid = {
		rows: new Map(first.rows.entries()),
		total: first.total,
		index: -1,
		bar: div("bar", search, status, count),
		node: h("div", { role: "grid", class: "grid", tabindex: 0, label: "Calls", scroll: draw },
			h("div", { role: "rowgroup", class: "head" }, h("div", { role: "row" }, ...heads)), body),
		step: (by) => go(clamp((awaited ?? grid.index) + by, 0, grid.total - 1)),

		mark(opened, index) {
			[key, grid.index] = [opened, index];
			const [height, at] = [grid.node.clientHeight - ROW_PX, index * ROW_PX];
			if (index >= 0) grid.node.scrollTop = clamp(grid.node.scrollTop, at + ROW_PX - height, at);
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
			for (const row of grid.rows.values()) if (row[0] === session) row[row.length - 1] = labels;
			draw();
		},
		draw,
	};
	grid.node.style.cssText = first.widths;

	function go(index = 0) {
		const row = grid.rows.get(index);
		awaited = row || !grid.total ? undefined : index;
		if (row) open(row, index);
		else ask(index);
	}

	/** @param {Partial<typeof view>} change */
	function show(change) {
		Object.assign(view, change);
		grid.rows.clear();
		asked.clear();
		awaited = undefined;
		request++;
		grid.node.scrollTop = 0;
		ask();
		const direction = view.descending ? "descending" : "ascending";
		heads.forEach((head, i) => head.setAttribute("aria-sort", columns[i].id === view.sort ? direction : "none"));
	}

	function sortBy(id = "") {
		show({ sort: id, descending: view.sort === id && !view.descending });
	}

	function ask(index = 0) {
		const start = index - (index % PAGE_ROWS);
		if (!asked.has(start)) send({ type: "rows", request, start, count: PAGE_ROWS, view });
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
		count.textContent = `${total.toLocaleString("en")} call${total === 1 ? "" : "s"}`;
	}

	function rowNode(index = 0) {
		if (!grid.rows.has(index)) ask(index);
		const [rowKey, state, ...texts] = grid.rows.get(index) ?? [-1, "", "…"];
		return h("div", { role: "row", class: "row", id: prefix + index, "aria-rowindex": index + 2, style: `top:${index * ROW_PX}px`,
			"aria-selected": String(rowKey === key), click: () => go(index) },
			...texts.map((text, i) => h("div", { role: "gridcell", title: text },
				...(i === 1 ? [h("i", { class: `dot ${state}` })] : []), text)));
	}
	return grid;
};

/** The picture of the sound, and the pointer on it. @type {(on: ViewEvents) => View} */
const createView = (on) => {
	/** @type {Call | undefined} */ let call;
	/** @type {Drag | undefined} */ let drag;
	const canvas = h("canvas", { "aria-hidden": "true" });
	const cursor = div("cursor");
	const band = div("band");
	const probe = h("i", {});
	let drawn = "";
	const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
	/** A click seeks; a drag selects, and on the axis seeks. */
	const pointer = {
		pointerdown(/** @type {PointerEvent} */ event) {
			if (event.button || !view.duration) return;
			view.node.focus({ preventScroll: true });
			view.node.setPointerCapture(event.pointerId);
			const scrub = event.clientY > canvas.getBoundingClientRect().bottom - 20;
			drag = { x: event.clientX, from: secondsAt(event), scrub, moved: false };
			if (scrub) on.seek(drag.from);
		},

		pointermove(/** @type {PointerEvent} */ event) {
			if (!drag) return;
			const at = secondsAt(event);
			drag.moved ||= !drag.scrub && Math.abs(event.clientX - drag.x) > 4;
			if (drag.scrub) on.seek((drag.from = at));
			else if (drag.moved) view.setRegion({ start: Math.min(at, drag.from), end: Math.max(at, drag.from) });
		},

		pointerup() {
			if (drag?.moved && view.region) on.region(view.region);
			else if (drag) on.seek(drag.from);
			drag = undefined;
		},
	};
	const secondsAt = (/** @type {MouseEvent} */ event) =>
		clamp(view.from + ((event.clientX - canvas.getBoundingClientRect().left) / (width() || 1)) * wide(), 0, view.duration);

	/** @type {View} */ const view = {
		node: h("div", { role: "slider", class: "wave", tabindex: 0, label: "Position in the call", ...pointer }, canvas, band, cursor, probe),
		duration: 0,
		from: 0,
		to: 0,
		region: null,
		draw,
		restyle: () => colour("faint") === drawn || draw(),

		show(next, duration) {
			if (next !== call || wide() >= view.duration) [view.from, view.to] = [0, duration];
			[call, view.duration] = [next, duration];
			view.node.setAttribute("aria-valuemax", duration.toFixed(1));
			draw();
		},

		zoom(factor, around) {
			const next = clamp(wide() * factor, Math.min(1, view.duration), view.duration);
			look(around - ((around - view.from) / (wide() || 1)) * next, next);
		},

		point(at, follow) {
			if (follow && !drag && view.duration && (at > view.to || at < view.from)) look(at, wide());
			cursor.hidden = !view.duration || at < view.from || at > view.to;
			cursor.style.transform = `translateX(${x(at)}px)`;
		},

		setRegion(region) {
			view.region = region;
			band.hidden = !region;
			const [left, right] = [region?.start, region?.end].map((each) => clamp(x(each), 0, width()));
			band.style.cssText = `left:${left}px;width:${right - left}px`;
		},
	};
	const lanes = () => call?.channels ?? 1;
	const wide = () => view.to - view.from;
	const width = () => canvas.clientWidth;
	const x = (seconds = 0) => ((seconds - view.from) / (wide() || 1)) * width();
	function look(from = 0, length = 0) {
		view.from = clamp(from, 0, view.duration - length);
		view.to = view.from + length;
		draw();
	}

	/** A colour of the style sheet. */
	function colour(name = "") {
		probe.style.color = `var(--${name})`;
		return getComputedStyle(probe).color;
	}

	/** Draw all but the cursor. */
	function draw() {
		const [high, ratio] = [TOP_PX + lanes() * LANE_PX + 20, window.devicePixelRatio || 1];
		canvas.style.height = `${high}px`;
		[canvas.width, canvas.height] = [width() * ratio, high * ratio];
		view.setRegion(view.region);
		if (!view.duration) return;
		context.scale(ratio, ratio);
		context.font = "11px sans-serif";
		for (let lane = 0; lane < lanes(); lane++) drawLane(lane);
		drawMarks();
		drawAxis(high);
	}

	function drawLane(lane = 0) {
		const { peaks, bins_per_s: rate = 100, loudest = 1 } = call ?? {};
		const speech = call?.speech?.[lane] ?? [];
		const middle = TOP_PX + (lane + 0.5) * LANE_PX;
		const [loud, quiet, perPx] = [colour(`channel${lane % 2}`), colour("quiet"), wide() / width()];
		const gain = Math.min(6, 1 / Math.max(0.01, loudest));
		let turn = 0;
		for (let at = 0; at < width(); at += 3) {
			const [from, to] = [view.from + at * perPx, view.from + (at + 3) * perPx];
			let [top, bin] = [0, Math.floor(from * rate)];
			do top = Math.max(top, peaks?.[lane]?.[bin] ?? 0);
			while (++bin < to * rate);
			while (turn < speech.length && speech[turn][1] < from) turn++;
			context.fillStyle = !speech.length || speech[turn]?.[0] <= to ? loud : quiet;
			const half = clamp((top / 255) ** 2 * gain, 0.01, 1) * (LANE_PX / 2 - 4);
			context.fillRect(at, middle - half, 2, 2 * half);
		}
	}

	function drawMarks() {
		let free = 0;
		for (const { kind, label, start_s: start, end_s: end, channel } of call?.marks ?? []) {
			const [left, across] = [x(start), Math.max(2, x(end) - x(start))];
			context.fillStyle = colour(kind);
			if (kind === "interruption") context.fill(new Path2D(`M${left - 5} 13h10l-5 10z`));
			else context.fillRect(left, 16, across, 5);
			const long = context.measureText(label).width;
			const at = clamp(left + 3, 0, width() - long);
			if (/mark|label/.test(kind) && at >= free && left + across > 0 && left < width()) {
				context.fillText(label, at, 11);
				free = at + long + 8;
			}
			context.globalAlpha = 0.14;
			context.fillRect(left, TOP_PX + (channel ?? 0) * LANE_PX, across, channel === null ? lanes() * LANE_PX : LANE_PX);
			context.globalAlpha = 1;
		}
	}

	function drawAxis(high = 0) {
		const tick = TICKS_S.find((each) => (each / wide()) * width() >= 64) ?? 7200;
		context.fillStyle = drawn = colour("faint");
		for (let i = Math.ceil(view.from / tick); i * tick <= view.to; i++) {
			const text = clock(i * tick, tick < 1 ? 1 : 0);
			const across = context.measureText(text).width;
			context.fillRect(Math.round(x(i * tick)), high - 18, 1, 4);
			context.fillText(text, clamp(x(i * tick) - across / 2, 0, width() - across), high - 3);
		}
	}
	return view;
};

/** Join the three, and speak with the kernel. @param {{model: any, el: HTMLElement}} view */
function render({ model, el }) {
	const first = model.get("first");
	/** @type {Map<number, Call>} those lately open */ const calls = new Map();
	/** @type {Call | undefined} */ let call;
	/** @type {Set<number>[]} */ const [muted, solo] = [new Set(), new Set()];
	let [request, reported, patience, beat, heard] = [0, 0, 0, 0, -1];
	const send = (/** @type {object} */ message) => model.send(message);
	const speaker = createSpeaker({ change: refresh, say, cantPlay, needUrl: () => send({ type: "url", key: call?.key }) });
	const view = createView({ seek, region: setRegion });
	const grid = createGrid(first, send, (row, index) => choose(row[0], index, row[2]));

	const [title, facts, legend] = [div("title"), div("faint"), div("faint legend")];
	const said = h("div", { role: "status", class: "said" });
	const silent = div("silent");
	const channels = div("channels");
	const playButton = iconButton("play", "Play", toggle, "Space", "icon main");
	const [time, length, regionText, labelFor] = [span("time"), span("faint"), span("region"), span("faint")];
	const speed = h("select", { label: "Speed", title: "Speed ([ and ])", change: () => set({ speed: Number(speed.value) }) },
		...SPEEDS.map((each) => h("option", { value: each }, `${each}×`)));
	const loop = iconButton("loop", "Loop", () => set({ loop: !speaker.loop }), "R");
	const volume = h("input", { type: "range", max: 1, step: 0.05, label: "Volume", input: () => set({ volume: Number(volume.value) }) });
	/** @type {Element[]} */ const moments = first.moments.map((/** @type {Moment} */ { at, kind, detail, session }, i = 0) =>
		button({ click: () => hear(i) }, span("at", at), kind, span("faint", detail),
			span("faint whose many", session)));
	/** @type {Element[]} */ const labelButtons = first.labels.map((name = "", i = 0) =>
		button({ class: "tag", click: () => decide(name) }, h("kbd", {}, String(i + 1)), name));
	const note = h("input", { type: "text", placeholder: "Note for the next label, or Enter", label: "Note" });
	const decisions = h("ul", {});
	const help = h("details", { class: "help" }, h("summary", {}, "Keyboard"), div("keys", ...first.keys.map(([keys = "", what = ""]) =>
		div("", h("kbd", {}, keys), " ", what))));
	const sound = div("sound", channels, view.node);
	const root = h("section", { class: `kn-player ${first.total > 1 ? "" : "one"}`, label: "Call player", "data-lm-suppress-shortcuts": true, tabindex: -1 },
		div("list many", grid.bar, grid.node),
		div("line", title, facts), said, silent, sound, legend,
		h("div", { class: "transport", role: "group", label: "Playback" },
			span("set", iconButton("previous", "Previous call", () => grid.step(-1), "P", "icon many"), playButton,
				iconButton("next", "Next call", () => grid.step(1), "N", "icon many")),
			span("set", time, length), regionText, span("gap"), span("set", speed, loop, volume),
			span("set", iconButton("out", "Zoom out", () => zoom(2), "−"), iconButton("in", "Zoom in", () => zoom(0.5), "+"),
				...(first.download ? [iconButton("save", "Save this call", save)] : []))),
		div("below",
			h("div", { class: "panel", hidden: !first.moments.length },
				h("h3", {}, "Moments, worst first"), h("ol", {}, ...moments.map((each) => h("li", {}, each)))),
			h("div", { class: "panel", hidden: !first.labels.length },
				div("line", h("h3", {}, "Labels"), labelFor), div("labels", ...labelButtons), note, decisions)),
		help);

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
		if (!(next.sound instanceof Blob)) next.sound = undefined;
		call = next;
		muted.clear();
		solo.clear();
		speaker.load(next.sound, at, gains());
		setRegion(null);
		say("");
		grid.mark(next.key, index);
		if (!next.reason && !next.sound)
			patience = setTimeout(say, 1500, "Waiting for the kernel to be free.");
		showCall();
	}

	function showCall() {
		if (!call) return;
		[title.textContent, facts.textContent, silent.textContent] = [call.title, call.facts, call.reason];
		silent.hidden = !call.reason;
		sound.hidden = playButton.disabled = Boolean(call.reason);
		view.show(call, duration());
		showChannels();
		legend.replaceChildren(...(call.legend ?? []).map(([kind, name]) =>
			span("", h("i", { class: `key ${kind}`, style: `color:var(--${kind})` }), name)));
		showLabels();
		refresh();
	}

	function duration() {
		return call?.duration_s || speaker.duration();
	}

	function showChannels() {
		const count = call?.channels ?? 0;
		const off = call?.sound && !(call.sound instanceof Blob);
		channels.replaceChildren(...Array.from({ length: count }, (_, channel) => {
			const name = call?.names?.[channel] ?? `Channel ${channel}`;
			const mixers = Object.entries({ Solo: solo, Mute: muted }).map(([verb, chosen]) => {
				const why = off ? "Needs the sound: run audio()" : "";
				const node = button({ class: "mix", disabled: Boolean(off), label: `${verb} ${name}`, title: why, click() {
					if (!chosen.delete(channel)) chosen.add(channel);
					press(node, chosen.has(channel));
					speaker.mix(gains());
				} }, verb[0]);
				press(node, chosen.has(channel));
				return node;
			});
			return h("div", { class: `channel c${channel % 2}`, style: `height:${LANE_PX}px` },
				h("span", { class: "name", title: name }, name), h("span", { hidden: count < 2 }, ...mixers));
		}));
	}

	function gains() {
		const sounds = (channel = 0) => !muted.has(channel) && (!solo.size || solo.has(channel));
		return Array.from({ length: call?.channels ?? 0 }, (_, channel) => Number(sounds(channel)));
	}

	function hear(i = 0) {
		const { key, from_s, session } = first.moments[i];
		heard = i;
		if (key === call?.key) seek(from_s);
		else choose(key, -1, session, from_s);
		speaker.play();
		moments.forEach((node, each) => node.setAttribute("aria-current", String(each === i)));
	}

	function showLabels() {
		const { region } = view;
		labelFor.textContent = region ? `for ${between(region)}` : "for the whole call";
		labelButtons.forEach((node, i) => press(node, !region && call?.pressed?.includes(first.labels[i])));
		decisions.replaceChildren(...(call?.labels ?? []).map(({ id, text }) =>
			h("li", {}, text, iconButton("close", `Take back: ${text}`, () => takeBack(id)))));
	}

	/** A note alone has no name; a name comes off the second time. */
	function decide(name = "") {
		const { start: start_s, end: end_s } = view.region ?? {};
		send({ type: "label", key: call?.key, label: name, note: note.value, start_s, end_s });
		note.value = "";
		say("Saving…");
	}

	/** Without an id: the last. */
	const takeBack = (id = "") => send({ type: "unlabel", key: call?.key, id });

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
		set({ loop: Boolean(region) });
		regionText.hidden = !region;
		if (region) {
			const at = speaker.position();
			regionText.replaceChildren(between(region), iconButton("close", "Clear the region", () => setRegion(null), "Esc"));
			if (at < region.start || at >= region.end) seek(region.start);
		}
		showLabels();
	}

	/** @param {Partial<Speaker>} change */
	function set(change) {
		Object.assign(speaker, change);
		speaker.adjust();
	}

	function zoom(factor = 1) {
		const at = speaker.position();
		view.zoom(factor, at >= view.from && at <= view.to ? at : (view.from + view.to) / 2);
		tick();
	}

	/** Show the state, and tell the kernel at once. */
	function refresh() {
		if (!call) return;
		playButton.replaceChildren(icon(speaker.wanted ? "pause" : "play"));
		playButton.setAttribute("aria-label", speaker.wanted ? "Pause" : "Play");
		press(loop, speaker.loop);
		[speed.value, volume.value] = [speaker.speed, speaker.volume].map(String);
		if (duration() !== view.duration) view.show(call, duration());
		length.textContent = duration() ? `/ ${clock(Math.round(duration()))}` : "";
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
		if (!call || call.decoded) return;
		call.decoded = true;
		send({ type: "decode", key: call.key });
	}

	function save() {
		if (!call?.sound) return;
		const href = call.sound instanceof Blob ? URL.createObjectURL(call.sound) : call.sound.url;
		h("a", { href, download: call.file, target: "_blank", rel: "noreferrer" }).click();
		setTimeout(URL.revokeObjectURL, 10000, href);
	}

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
		/** @type {Record<string, number>} */ const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
		if (target === grid.node && steps[key]) grid.step(steps[key]);
		else if (first.labels[Number(key) - 1]) decide(first.labels[Number(key) - 1]);
		else if (!act(key.length === 1 ? key.toLowerCase() : key, event.shiftKey ? 1 : 5)) return;
		event.preventDefault();
	}

	function act(key = "", hop = 5) {
		const at = speaker.position();
		const faster = (by = 1) => set({ speed: SPEEDS[clamp(SPEEDS.indexOf(speaker.speed) + by, 0, SPEEDS.length - 1)] });
		const louder = (by = 0.1) => set({ volume: clamp(speaker.volume + by, 0, 1) });
		/** @type {Record<string, () => void>} */ const actions = {
			" ": toggle, k: toggle, ArrowLeft: () => seek(at - hop), ArrowRight: () => seek(at + hop),
			j: () => seek(at - 10), l: () => seek(at + 10), "[": () => faster(-1), "]": () => faster(1),
			ArrowUp: () => louder(), ArrowDown: () => louder(-0.1),
			n: () => grid.step(1), p: () => grid.step(-1), m: () => moments.length && hear((heard + 1) % moments.length), r: () => loop.click(),
			i: () => setRegion({ start: at, end: Math.max(view.region?.end ?? duration(), at) }),
			o: () => setRegion({ start: Math.min(view.region?.start ?? 0, at), end: at }), Escape: () => setRegion(null),
			"+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => zoom(Infinity),
			u: () => takeBack(), "?": () => (help.open = !help.open),
		};
		actions[key]?.();
		return key in actions;
	}

	/** @type {Handlers} */ const handlers = {
		rows: grid.receive,
		ahead: (message, known) => known || calls.set(message.key, message),
		call(message, known) {
			const next = Object.assign(known ?? {}, message);
			if (message.request && message.request !== request) return; // to an earlier choice
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
			known.loudest = Math.max(known.loudest ?? 0, message.loudest);
			known.peaks ??= Array.from({ length: message.channels }, () => new Uint8Array(message.total_bins));
			const bins = data.byteLength / message.channels;
			known.peaks.forEach((peaks, channel) => {
				const part = new Uint8Array(data.buffer, data.byteOffset + channel * bins, bins);
				peaks.set(part.subarray(0, clamp(peaks.length - message.first_bin)), message.first_bin);
			});
			if (known === call) view.draw();
		},
		sound({ part, parts, mime, decoded, file }, known, data) {
			if (!known) return;
			if (!part) known.parts = [];
			known.parts?.push(/** @type {BlobPart} */ (data));
			if (known.parts?.length !== parts || (known.sound instanceof Blob && !decoded)) return;
			known.sound = new Blob(known.parts, { type: mime });
			known.file = file;
			if (known !== call) return;
			say();
			speaker.load(known.sound, speaker.position(), gains());
			showChannels();
		},
		url({ url }, known) {
			if (!known || known !== call) return;
			say();
			if (call.sound) speaker.renew({ url });
			else speaker.load({ url }, speaker.position(), []);
			call.sound = { url };
			showChannels();
		},
		labels(message, known) {
			if (known) Object.assign(known, message);
			grid.relabel(message.key, message.label_text);
			say();
			showCall();
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
		// A click on what takes no focus would give the keys back to the notebook.
		const target = /** @type {Element} */ (event.target);
		if (!target.closest("button,input,select,summary,[tabindex='0']")) root.focus({ preventScroll: true });
	});
	// JupyterLab reads keys first, and spares what has its attribute. Those with Ctrl or Cmd are the notebook's.
	const spare = (/** @type {KeyboardEvent} */ event) =>
		root.toggleAttribute("data-lm-suppress-shortcuts", !event.ctrlKey && !event.metaKey);
	window.addEventListener("keydown", spare, true);
	const resized = new ResizeObserver(redraw);
	resized.observe(view.node);
	const timer = setInterval(() => {
		if (beat++ % 15 === 0) view.restyle();
		if (!speaker.wanted) return;
		speaker.keepInRegion();
		tick();
	}, 33);

	el.replaceChildren(root);
	model.on("msg:custom", receive);
	switchTo({ ...first.opened }, first.opened.at_s, first.opened.index);
	send({ type: "ready" });
	return () => {
		speaker.dispose();
		model.off("msg:custom", receive);
		clearInterval(timer);
		resized.disconnect();
		window.removeEventListener("keydown", spare, true);
	};
}

export default { render };
