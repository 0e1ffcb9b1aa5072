// The page's side of the player: it joins the parts and speaks with the kernel. URLs and sound come in messages, so
// that none is saved with a notebook. Elements are kept by reference, as there may be a shadow root.
// Types of the data: tests/browser/player.d.ts. desk/script.py joins these modules into the one that anywidget takes.
import { Calls, isWhole } from "./calls.js";
import { Channels } from "./channels.js";
import { clamp, clock } from "./clock.js";
import { div, element, hold, saveAs } from "./dom.js";
import { keepFocus } from "./focus.js";
import { keepKeys, keyHandler } from "./keys.js";
import { Labels } from "./labels.js";
import { Legend } from "./legend.js";
import { Link } from "./link.js";
import { CallList } from "./list.js";
import { messageHandlers } from "./messages.js";
import { Moments } from "./moments.js";
import { prefer, preferences } from "./preferences.js";
import { afterSilence } from "./silence.js";
import { Speaker } from "./speaker.js";
import { Timeline } from "./timeline.js";
import { Transport } from "./transport.js";
import { Unsaved } from "./unsaved.js";
import { WordRow } from "./wordrow.js";
import { Words } from "./words.js";

const LATE_MS = 250;
const REPORT_EVERY_MS = 1000;
const PATIENCE_MS = 1500;
const MIN_REGION_S = 0.02;

export class Player {
	root;
	/** Names this view to the kernel, as a player may be shown several times. */
	viewer = Math.random().toString(36).slice(2);
	/** @type {Call | undefined} */
	call;
	calls = new Calls();
	link;
	list;
	labels;
	moments;
	channels = new Channels(() => this.speaker.mix(this.channels.gains));
	timeline = new Timeline({
		seek: (to) => this.seek(to),
		region: (region) => this.setRegion(region),
		look: (wish) => this.#send({ type: "look", key: this.call?.key, ...wish }),
	});
	speaker = new Speaker({
		change: () => this.refresh(),
		say: (text) => this.say(text),
		cantPlay: () => this.#askForDecoded(),
		needUrl: (again) => this.#send({ type: "url", key: this.call?.key, again }),
		needSound: () => this.want(),
	});
	transport;
	legend = new Legend({ seek: (to) => this.seek(to), at: () => this.speaker.position });
	words;
	#wordRow;
	#send;
	#title = element("div", { class: "title", dir: "auto" });
	#facts = div("faint");
	#said = element("div", { role: "status", class: "said" });
	#silent = div("silent");
	// The waveform comes before the buttons of its lanes, so that Tab is soon there; the style puts these on its left.
	#sound = div("sound", this.timeline.node, this.channels.node);
	#help;
	#skips = Boolean(preferences().skips);
	#request = 0;
	#reportedAt = 0;
	#patience = 0;
	#frame = 0;
	/** The time that is on the screen. */
	#shown = "";
	#late = 0;

	/** @param {any} first what the kernel sends for the first paint @param {Link} link */
	constructor(first, link) {
		const send = (/** @type {object} */ message) => link.send({ ...message, viewer: this.viewer });
		this.link = link;
		this.#send = send;
		this.list = new CallList(first, send, (row, index) => this.#choose(row[0], index, row[2]));
		this.labels = new Labels(first.labels, first.annotator, link, {
			send,
			hear: (region) => {
				this.setRegion(region);
				this.seek(region.start);
				this.speaker.play();
			},
			leave: () => this.timeline.wave.focus({ preventScroll: true }),
		}, this.timeline);
		const unsaved = new Unsaved(link);
		link.change = (refusal) => {
			if (refusal) this.say(refusal);
			unsaved.show();
			this.labels.tell(refusal);
			this.labels.show(this.call, this.timeline.region);
		};
		this.moments = new Moments(first, (moment) => this.#hear(moment), send);
		this.words = new Words(first.words, {
			seek: (to) => this.seek(to),
			leave: () => this.timeline.wave.focus({ preventScroll: true }),
			found: () => this.#wordRow.layout(this.timeline.picture),
		});
		this.#wordRow = new WordRow(this.words, (to) => this.seek(to), this.timeline.picture);
		this.timeline.under.append(this.#wordRow.node);
		this.timeline.layers.push(this.#wordRow);
		const on = {
			toggle: () => this.toggle(),
			zoom: (factor = 1) => this.zoom(factor),
			save: () => this.#save(),
			skip: () => this.toggleSkip(),
			clear: () => this.setRegion(null),
		};
		this.transport = new Transport(this.speaker, on, first.download);
		const keys = first.keys.map(([keys = "", what = ""]) => div("", element("kbd", {}, keys), " ", what));
		this.#help = element("details", { class: "help" }, element("summary", {}, "Keyboard"), div("keys", ...keys));
		const props = { class: `kn-player ${first.total > 1 ? "" : "one"}`, label: "Call player", tabindex: -1 };
		// Each child has an area of its name in player.css, which says where it stands at which width.
		this.root = element("section", props, div("areas",
			this.list.panel,
			div("opened", this.#title, this.#facts),
			this.#silent, this.#sound, this.#said, this.legend.node, this.transport.node, this.transport.zoom, unsaved.node,
			this.words.node,
			div("side", this.labels.node, this.moments.node), this.#help));
		this.root.addEventListener("keydown", keyHandler(this));
	}

	/** In seconds; 0 while it is unknown. */
	get duration() {
		return this.call?.duration_s || this.speaker.duration;
	}

	/** Open a call that was chosen here. */
	#choose(key = 0, index = 0, name = "", at = 0) {
		const known = this.calls.get(key);
		const page_has_it = isWhole(known);
		this.#send({ type: "open", key, at_s: at, page_has_it, request: ++this.#request });
		this.switchTo(known ?? { key, index, title: name, reason: "", facts: "" }, at, index);
	}

	/** @param {any} message the kernel opens a call, or says more of the open one @param {Call | undefined} known */
	receiveCall(message, known) {
		const next = Object.assign(known ?? {}, message);
		if ((message.requests[this.viewer] ?? 0) !== this.#request) return; // a later choice is on its way to the kernel
		if (this.call !== next) {
			this.switchTo(next, next.at_s, next.index);
			if (!message.is_sent && !isWhole(next)) this.want();
			return;
		}
		if (next.reason) this.say();
		this.list.mark(next.key, next.index);
		this.show();
	}

	/** @param {Call} next */
	switchTo(next, at = 0, index = 0) {
		this.calls.open(next);
		this.call = next;
		this.channels.open(next);
		this.speaker.open(next.sound, at, this.channels.gains);
		this.setRegion(null);
		this.say();
		this.list.mark(next.key, index);
		if (!next.reason && !next.sound)
			this.#patience = setTimeout(() => this.link.gone || this.say("Waiting for the sound: the kernel is busy, or fetches it."), PATIENCE_MS);
		this.show();
	}

	/** Show what is known of the open call. */
	show() {
		const { call } = this;
		if (!call) return;
		[this.#title.textContent, this.#facts.textContent, this.#silent.textContent] = [call.title, call.facts, call.reason];
		this.#silent.hidden = !call.reason;
		this.#sound.hidden = Boolean(call.reason);
		this.transport.disable(Boolean(call.reason));
		this.showWords();
		this.timeline.show(call, this.duration);
		this.channels.show();
		this.legend.show(call, this.duration);
		this.labels.show(call, this.timeline.region);
		this.refresh();
	}

	showWords() {
		if (!this.call) return;
		this.#wordRow.show(this.call.words);
		this.words.show(this.call);
		this.#wordRow.layout(this.timeline.picture);
	}

	/** Play the sound that has arrived from where the listener is. */
	load() {
		this.say();
		this.speaker.load(this.call?.sound, this.speaker.position, this.channels.gains);
		this.channels.show();
	}

	/** Ask for the sound of the open call, which did not come, or came to another view. */
	want() {
		this.#send({ type: "want", key: this.call?.key });
	}

	/** No sound comes: say why. */
	fail(text = "") {
		clearTimeout(this.#patience);
		this.speaker.fail(text);
	}

	receiveUrl(url = "") {
		if (!this.call) return;
		clearTimeout(this.#patience);
		if (this.call.sound) this.speaker.renew({ url });
		else {
			this.say();
			this.speaker.load({ url }, this.speaker.position, []);
		}
		this.call.sound = { url };
		this.channels.show();
	}

	/** @param {Moment} moment */
	#hear({ key, from_s, session }) {
		if (key === this.call?.key) this.seek(from_s);
		else this.#choose(key, -1, session, from_s);
		this.speaker.play();
	}

	toggle() {
		if (this.speaker.wanted) this.speaker.pause();
		else if (this.call && !this.call.reason) this.speaker.play();
	}

	seek(to = 0) {
		this.speaker.seek(clamp(to, 0, this.duration || Infinity));
		this.timeline.point(this.speaker.position, true);
	}

	/** @param {Span | null} region */
	setRegion(region) {
		if (region && region.end - region.start < MIN_REGION_S) region = null;
		this.timeline.setRegion(region);
		this.speaker.region = region;
		this.speaker.set({ loop: Boolean(region) });
		this.transport.showRegion(region);
		const at = this.speaker.position;
		if (region && (at < region.start || at >= region.end)) this.seek(region.start);
		this.labels.select();
		this.labels.show(this.call, region);
	}

	zoom(factor = 1) {
		this.timeline.zoom(factor, this.speaker.position);
		this.tick();
	}

	/** Give the region that is selected other edges, or the one that is looped. @param {Partial<Span>} edge */
	setEdge(edge) {
		const at = this.speaker.position;
		const { start, end } = { ...(this.labels.span ?? this.timeline.region ?? { start: 0, end: this.duration }), ...edge };
		const span = { start: Math.min(start, at), end: Math.max(end, at) };
		if (!this.labels.move(span)) this.setRegion(span);
	}

	toggleSkip() {
		this.#skips = !this.#skips;
		prefer({ skips: this.#skips });
		this.refresh();
	}

	toggleHelp() {
		this.#help.open = !this.#help.open;
	}

	/** Show what the speaker does, and report it to the kernel at once. */
	refresh() {
		this.speaker.watch();
		if (!this.call) return;
		if (this.duration !== this.timeline.duration) this.timeline.show(this.call, this.duration);
		this.transport.show(this.duration, this.#skips);
		this.#reportedAt = 0;
		this.beat();
		if (!this.speaker.wanted) this.tick();
	}

	redraw() {
		this.timeline.draw();
		this.list.draw();
		this.tick();
	}

	/** While it plays: at each frame of the screen, and now and then where a page out of sight has none. */
	beat() {
		cancelAnimationFrame(this.#frame);
		clearTimeout(this.#late);
		if (!this.speaker.wanted) return;
		this.speaker.keepInRegion();
		if (this.#skips && this.call) {
			const at = this.speaker.position;
			const to = afterSilence(this.call, at, this.duration);
			if (to > at) this.speaker.seek(to);
		}
		this.tick();
		this.#frame = requestAnimationFrame(() => this.beat());
		this.#late = setTimeout(() => this.beat(), LATE_MS);
	}

	dispose() {
		this.speaker.wanted = false;
		this.beat();
		this.timeline.dispose();
		this.speaker.dispose();
	}

	/** Show where the listener is; the kernel learns it once a second. */
	tick() {
		const at = this.speaker.position;
		this.timeline.point(at, this.speaker.wanted);
		if (clock(at, 1) !== this.#shown) this.transport.showTime(at);
		this.#shown = clock(at, 1);
		this.words.point(at);
		if (!this.call || Date.now() - this.#reportedAt < REPORT_EVERY_MS) return;
		this.#reportedAt = Date.now();
		const { wanted: playing, speed } = this.speaker;
		this.#send({ type: "state", key: this.call.key, position_s: at, playing, speed });
	}

	/** Say one sentence; the next one, or none, takes its place. */
	say(text = "") {
		clearTimeout(this.#patience);
		this.#said.textContent = text;
	}

	#askForDecoded() {
		if (!this.call) return;
		if (this.call.decoded) {
			this.fail("The browser can't play this sound, also as WAV. Play tries again; Recording.verify() says more.");
			return;
		}
		this.call.decoded = true;
		this.#send({ type: "decode", key: this.call.key });
	}

	#save() {
		const { sound, file } = this.call ?? {};
		if (sound) saveAs(sound instanceof Blob ? sound : sound.url, file);
	}
}

/** @param {{model: any, el: HTMLElement}} view */
function render({ model, el }) {
	const first = model.get("first");
	const link = new Link(model, first.outbox);
	const player = new Player(first, link);
	const { root } = player;
	const handlers = messageHandlers(player);
	const receive = (/** @type {any} */ message, /** @type {DataView[]} */ buffers) => {
		if (!root.parentNode) el.replaceChildren(root);
		link.hear();
		handlers[message.type]?.(message, player.calls.get(message.key), buffers[0]);
		if (message.type !== "labels") return;
		// A value of the model is what marimo runs cells again for.
		model.set("decided", model.get("decided") + 1);
		model.save_changes();
	};
	// The picture on the card is for pages without the player: a saved one without its kernel keeps the picture.
	root.append(element("style", {}, `.kn-still-${first.token}{display:none}`));
	root.addEventListener("pointerdown", hold, true);
	root.addEventListener("mousedown", (event) => {
		event.stopPropagation();
		// A click on what takes no focus would give the keys back to the notebook.
		const target = /** @type {Element} */ (event.target);
		if (!target.closest("button,input,select,textarea,summary,[tabindex='0']")) root.focus({ preventScroll: true });
	});
	const giveBack = [keepKeys(root), keepFocus(root, [player.timeline.wave, player.list.node])];
	const resized = new ResizeObserver(() => player.redraw());
	resized.observe(player.timeline.node);

	if (!el.closest(".jupyter-widgets-disconnected")) el.replaceChildren(root);
	model.on("msg:custom", receive);
	player.switchTo({ ...first.opened }, first.opened.at_s, first.opened.index);
	link.send({ type: "ready" });
	return () => {
		player.dispose();
		link.dispose();
		model.off("msg:custom", receive);
		resized.disconnect();
		for (const give of giveBack) give();
	};
}

export default { render };
