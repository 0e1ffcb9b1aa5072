// Where the listener is in the call: cursor, zoom, and the region that the pointer draws.
import { clamp, clock } from "./clock.js";
import { div, element } from "./dom.js";
import { Picture } from "./drawing.js";
import { Minimap } from "./minimap.js";
import { Pointer } from "./pointer.js";
import { Spectrogram } from "./spectrogram.js";
import { covers } from "./waves.js";

/** An inch of the screen shows no less. */
const LEAST_S_AN_INCH = 0.005;
const INCH_PX = 96;
const MAX_HEIGHT = 8;
/** The kernel is asked for what is in sight once it has stood still so long. */
const SETTLE_MS = 120;
const MEDIA = ["(forced-colors: active)", "(prefers-color-scheme: dark)"];

/**
 * What stands at times of the call: it is placed anew whenever another part of the call is in sight.
 * @typedef {object} Layer
 * @property {(picture: Picture) => void} layout
 */

/**
 * @typedef {object} TimelineEvents
 * @property {(to: number) => void} seek
 * @property {(span: Span) => void} region a region was drawn
 * @property {(wish: object) => void} look something of the part in sight is needed of the kernel
 */

export class Timeline {
	duration = 0;
	/** @type {Span | null} */
	region = null;
	node;
	/** The slider: what is clicked and has the focus. */
	wave;
	/** Covers the picture, for nodes with handles; it lets the pointer through where they don't stand. */
	over = div("over");
	/** Under the picture, as wide as it, for rows of words. */
	under = div("under");
	/** @type {Layer[]} */
	layers = [];
	picture = new Picture();
	#on;
	#pointer = new Pointer(this);
	#minimap = new Minimap((from, length) => this.look(from, length));
	#cursor = div("cursor");
	#band = div("band");
	#gains = div("gains");
	/** @type {Call | undefined} */
	#call;
	#at = 0;
	/** What is to be drawn in the next frame: the view, or all that is known of the call. */
	#due = { view: false, all: false };
	#frame = 0;
	#isInSight = true;
	#settle = 0;
	/** The last wish of each kind: none is sent twice. @type {Record<string, string>} */
	#asked = {};
	/** Tells the kernel's answers from those to another view of the same player. */
	#view = Math.random();
	/** Ends what listens to the window. */
	#end = new AbortController();
	#sight = new IntersectionObserver((seen) => this.#see(seen[seen.length - 1].isIntersecting), { rootMargin: "200px" });

	/** @param {TimelineEvents} on */
	constructor(on) {
		this.#on = on;
		const { canvas, probe } = this.picture;
		const props = { role: "slider", class: "wave", tabindex: 0, label: "Position in the call" };
		this.wave = element("div", { ...props, ...this.#pointer.listeners }, canvas, this.#band, this.#cursor, this.#pointer.node, probe);
		// Its colours change with the theme, whatever changes that, and the style sheet makes an event of it.
		const theme = element("i", { class: "theme", transitionrun: () => this.draw() });
		const wheel = (/** @type {WheelEvent} */ event) => this.#pointer.wheel(event);
		const stage = element("div", { class: "stage", wheel }, this.wave, this.over, this.#gains, theme);
		this.node = div("timeline", stage, this.under, this.#minimap.node);
		this.#sight.observe(this.node);
		for (const media of MEDIA) matchMedia(media).addEventListener("change", () => this.draw(), { signal: this.#end.signal });
		this.#watchScale();
	}

	dispose() {
		this.#end.abort();
		this.#sight.disconnect();
		cancelAnimationFrame(this.#frame);
		clearTimeout(this.#settle);
	}

	/** @param {Call} call */
	show(call, duration = 0) {
		const picture = this.picture;
		const showedAll = picture.length >= this.duration;
		if (call !== this.#call) {
			[picture.detail, this.#asked] = [undefined, {}];
			picture.spectrogram?.receive(undefined, picture);
		}
		if (call !== this.#call || showedAll) [picture.from, picture.to] = [0, duration];
		[this.#call, this.duration] = [call, duration];
		this.wave.setAttribute("aria-valuemax", duration.toFixed(1));
		this.draw();
	}

	/** Draw anew, in the next frame: the call, the theme or the size is another one. */
	draw() {
		this.#due.all = true;
		this.#soon();
	}

	/** Keep `at` where it is on the screen, or the middle where it is out of sight. */
	zoom(factor = 1, at = 0) {
		const { from, to, length } = this.picture;
		const around = at >= from && at <= to ? at : (from + to) / 2;
		const next = this.bounded(length * factor);
		this.look(around - ((around - from) / (length || 1)) * next, next);
		if (factor === Infinity) this.raise(0);
	}

	/** Show the next part, or the one before. */
	turn(pages = 1) {
		this.look(this.picture.from + pages * 0.9 * this.picture.length, this.picture.length);
	}

	/** Draw the waves higher; by 0 as they are by themselves. */
	raise(factor = 1) {
		this.picture.height = factor ? clamp(this.picture.height * factor, 1 / MAX_HEIGHT, MAX_HEIGHT) : 1;
		this.draw();
	}

	toggleSpectrogram() {
		const { picture } = this;
		picture.spectrogram = picture.spectrogram ? undefined : new Spectrogram();
		this.#asked = {};
		this.node.classList.toggle("spectral", Boolean(picture.spectrogram));
		this.draw();
	}

	/** Take what the kernel was asked for. @param {any} message @param {DataView} data */
	receive(message, data) {
		const { picture } = this;
		if (message.view !== this.#view || message.key !== this.#call?.key) return;
		// A copy: the bytes may begin where no 16-bit number can.
		const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
		if (message.what === "detail") picture.detail = { ...message, samples: new Int16Array(bytes.buffer) };
		else picture.spectrogram?.receive({ ...message, levels: bytes }, picture);
		this.#due.view = true;
		this.#soon();
	}

	/** Move the cursor; with `follow` the picture turns over to it. */
	point(at = 0, follow = false) {
		const picture = this.picture;
		if (follow && !this.#pointer.isDown && this.duration && (at > picture.to || at < picture.from)) this.look(at, picture.length);
		this.#at = at;
		this.wave.setAttribute("aria-valuenow", at.toFixed(1));
		this.wave.setAttribute("aria-valuetext", `${clock(at)} of ${clock(this.duration)}`);
		if (!this.#isInSight) return;
		this.#cursor.hidden = !this.duration || at < picture.from || at > picture.to;
		this.#cursor.style.transform = `translateX(${picture.x(at)}px)`;
		this.#minimap.point(at);
		// What is due is drawn with the cursor where it is now.
		if (!this.#due.view && !this.#due.all) picture.hear(at);
	}

	/** @param {Span | null} region */
	setRegion(region) {
		this.region = region;
		this.#band.hidden = !region;
		const edge = (seconds = 0) => clamp(this.picture.x(seconds), 0, this.picture.width);
		const [left, right] = [edge(region?.start), edge(region?.end)];
		this.#band.style.cssText = `left:${left}px;width:${right - left}px`;
	}

	/** The listener wants to be elsewhere. */
	seek(to = 0) {
		this.#on.seek(to);
	}

	/** @param {Span} region */
	drawn(region) {
		this.#on.region(region);
	}

	/** As long as may be in sight: between what the screen can show and the whole call. */
	bounded(length = 0) {
		const least = (LEAST_S_AN_INCH * this.picture.width) / INCH_PX;
		return clamp(length, Math.min(least, this.duration), this.duration);
	}

	/** Bring a part of the call in sight. */
	look(from = 0, length = 0) {
		const picture = this.picture;
		const next = this.bounded(length);
		const start = clamp(from, 0, Math.max(0, this.duration - next));
		if (start === picture.from && start + next === picture.to) return;
		[picture.from, picture.to] = [start, start + next];
		this.#due.view = true;
		this.#soon();
	}

	#see(isInSight = true) {
		this.#isInSight = isInSight;
		if (!isInSight) return;
		this.point(this.#at);
		if (this.#due.view || this.#due.all) this.#soon();
	}

	/** However much changes, the picture is drawn once a frame; out of sight only what has come is, for when it is seen. */
	#soon() {
		if (this.#isInSight || this.#due.all) this.#frame ||= requestAnimationFrame(() => this.#now());
	}

	#now() {
		const [{ picture }, call, { all }] = [this, this.#call, this.#due];
		this.#frame = 0;
		// Hidden, as for a moment by a front end that changes its theme; where it stays so, it is out of sight too.
		if (!picture.canvas.clientWidth) {
			if (this.#isInSight) this.#soon();
			return;
		}
		this.#due = { view: false, all: false };
		if (all) picture.renew(call);
		picture.draw(call, this.#at);
		if (all) this.#minimap.draw(picture, this.duration, call?.bins_per_s);
		if (all) this.#showGains(call);
		this.setRegion(this.region);
		this.point(this.#at);
		for (const layer of [this.#minimap, ...this.layers]) layer.layout(picture);
		clearTimeout(this.#settle);
		this.#settle = setTimeout(() => this.#ask(), SETTLE_MS);
	}

	/** Ask the kernel for what the part in sight lacks: finer peaks, a spectrogram. */
	#ask() {
		const { picture: { detail, spectrogram, from, to, length, width }, duration } = this;
		const { bins_per_s: rate = Infinity, key } = this.#call ?? {};
		const pixels = width * devicePixelRatio;
		const send = (what = "", margin = 0, columns = 0) => {
			const [from_s, to_s] = [Math.max(0, from - margin * length), Math.min(duration, to + margin * length)];
			const wish = { what, view: this.#view, from_s, to_s, columns: Math.ceil(columns * (1 + 2 * margin)) };
			const text = JSON.stringify([key, wish]);
			if (this.#asked[what] !== text) this.#on.look(wish);
			this.#asked[what] = text;
		};
		const isFine = covers(detail, from, to) && (detail?.is_finest || (detail?.bins_per_s ?? 0) * length >= pixels);
		if (rate * length < pixels && !isFine) send("detail", 1, 1.5 * pixels);
		if (length && spectrogram && !spectrogram.isOf(from, to)) send("spectrum", 0.25, width);
	}

	/** @param {Call | undefined} call */
	#showGains(call) {
		const { picture } = this;
		const gains = (call?.peaks ?? []).map((_, lane) => {
			const gain = picture.gain(lane);
			const text = Math.abs(gain - 1) < 0.05 ? "" : `×${gain < 10 ? Number(gain.toFixed(1)) : Math.round(gain)}`;
			return element("span", { title: "Drawn so much higher than recorded", style: `height:${picture.lane}px` }, element("b", {}, text));
		});
		this.#gains.replaceChildren(...gains);
	}

	/** Draw anew where the screen's scale changes: another zoom, another screen. */
	#watchScale() {
		const changed = () => (this.draw(), this.#watchScale());
		matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", changed, { once: true, signal: this.#end.signal });
	}
}
