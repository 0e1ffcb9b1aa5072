// What sounds: one audio element at a time, and what keeps it playing when its URL dies.
import { clamp } from "./clock.js";
import { Mixer } from "./mixer.js";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3];
const STALL_MS = 2000;
const WATCH_EVERY_MS = 250;
const MAX_TRIES = 4;
const PLAY_EVENT = "kataven-player-sounds";

/**
 * @typedef {object} SpeakerEvents
 * @property {() => void} change
 * @property {() => void} needUrl
 * @property {() => void} cantPlay
 * @property {(text: string) => void} say
 */

export class Speaker {
	/** What the listener wants; the element's own state lags behind it. */
	wanted = false;
	speed = 1;
	volume = 1;
	loop = false;
	/** @type {Span | null} */
	region = null;

	/** @type {SpeakerEvents} */
	#on;
	#audio = new Audio();
	#mixer = new Mixer(this.#audio);
	/** @type {Sound | undefined} */
	#sound;
	/** A fresh URL for when the one in use fails. @type {Sound | undefined} */
	#spare;
	/** Where to go once the element has sound. @type {number | undefined} */
	#target;
	#objectUrl = "";
	#asked = false;
	#tries = 0;
	#aliveAt = 0;
	#lastProgress = 0;
	#timer;

	/** @param {SpeakerEvents} on */
	constructor(on) {
		this.#on = on;
		window.addEventListener(PLAY_EVENT, this.#giveWay);
		this.#timer = setInterval(() => this.#watch(), WATCH_EVERY_MS);
	}

	dispose() {
		clearInterval(this.#timer);
		window.removeEventListener(PLAY_EVENT, this.#giveWay);
		this.load(undefined, 0, []);
	}

	get position() {
		return this.#target ?? this.#audio.currentTime;
	}

	/** In seconds; 0 while it is unknown. */
	get duration() {
		return Number.isFinite(this.#audio.duration) ? this.#audio.duration : 0;
	}

	/**
	 * Take another sound. It gets an element of its own, so that late events of the old one are told apart.
	 * @param {Sound | undefined} sound @param {number} at @param {number[]} gains
	 */
	load(sound, at, gains) {
		const [old, audio] = [this.#audio, new Audio()];
		this.#audio = audio;
		old.pause();
		old.src = "";
		URL.revokeObjectURL(this.#objectUrl);
		this.#mixer = new Mixer(audio);
		[this.#sound, this.#spare, this.#asked, this.#target] = [sound, undefined, false, at];
		this.#aliveAt = Date.now();
		if (!sound) return;
		this.#listen(audio);
		if (sound instanceof Blob) this.#objectUrl = URL.createObjectURL(sound);
		audio.src = sound instanceof Blob ? this.#objectUrl : sound.url;
		this.set({});
		this.mix(gains);
		if (this.wanted) this.#start();
	}

	play() {
		this.wanted = true;
		window.dispatchEvent(new CustomEvent(PLAY_EVENT, { detail: this }));
		const { region, loop } = this;
		if (this.#audio.ended || (loop && region && this.position >= region.end)) this.seek(region?.start ?? 0);
		this.#aliveAt = Date.now();
		if (this.#spare) this.#recover();
		this.#start();
		this.#on.change();
	}

	pause() {
		this.wanted = false;
		this.#audio.pause();
		this.#on.change();
	}

	seek(to = 0) {
		this.#aliveAt = Date.now();
		if (this.#audio.readyState) this.#audio.currentTime = to;
		else this.#target = to;
		// The URL in use may be dead, and there is a fresh one.
		if (this.#spare) this.#recover();
		this.#on.change();
	}

	/** @param {Partial<Pick<Speaker, "speed" | "volume" | "loop">>} change */
	set(change) {
		Object.assign(this, change);
		this.#audio.defaultPlaybackRate = this.#audio.playbackRate = this.speed;
		this.#audio.volume = this.volume;
		this.#on.change();
	}

	faster(steps = 1) {
		this.set({ speed: SPEEDS[clamp(SPEEDS.indexOf(this.speed) + steps, 0, SPEEDS.length - 1)] });
	}

	louder(by = 0.1) {
		this.set({ volume: clamp(this.volume + by, 0, 1) });
	}

	/** @param {number[]} gains one a channel */
	mix(gains) {
		// WebAudio makes silence of sound from elsewhere without CORS; a Blob is ours.
		if (this.#sound instanceof Blob) this.#mixer.set(gains, this.wanted);
	}

	keepInRegion() {
		const { region, loop, wanted } = this;
		if (loop && wanted && region && this.#audio.currentTime >= region.end) this.#audio.currentTime = region.start;
	}

	/** @param {Sound} fresh */
	renew(fresh) {
		this.#spare = fresh;
		if (this.#asked) this.#recover();
		this.#asked = false;
	}

	/** @param {HTMLAudioElement} audio */
	#listen(audio) {
		const events = {
			seeked: () => this.#on.change(),
			loadedmetadata: () => this.#goToTarget(),
			ended: () => (this.loop && this.wanted ? this.play() : this.pause()),
			error: () => this.#fail(),
		};
		for (const [name, act] of Object.entries(events))
			audio.addEventListener(name, () => audio === this.#audio && act());
	}

	#goToTarget() {
		if (this.#target !== undefined) this.#audio.currentTime = this.#target;
		this.#target = undefined;
		this.#on.change();
	}

	#fail() {
		this.#target = this.position;
		if (this.#sound instanceof Blob) this.#on.cantPlay();
		else this.#recover();
	}

	#start() {
		this.#mixer.resume();
		this.#audio.play().catch((error) => {
			if (error.name !== "NotAllowedError") return;
			this.pause();
			this.#on.say("The browser wants a click: press play.");
		});
	}

	/** Go on with a fresh URL: the one at hand, or one to ask for. */
	#recover() {
		this.#aliveAt = Date.now();
		if (!this.#spare) {
			if (this.#asked) this.#on.say("Waiting for the kernel to renew the URL.");
			else this.#on.needUrl();
			this.#asked = true;
		} else if (++this.#tries > MAX_TRIES) {
			this.#tries = 0;
			this.pause();
			this.#on.say("No sound came. Play tries again; audio() says why.");
		} else this.load(this.#spare, this.position, []);
	}

	/** Chromium reports a dead URL only after half a minute: so progress is watched. */
	#watch() {
		if (!this.#sound || this.#sound instanceof Blob) return;
		const { buffered, currentTime, readyState, seeking } = this.#audio;
		const progress = currentTime + (buffered.length && buffered.end(buffered.length - 1));
		const waits = seeking || (this.wanted && readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
		if (!waits) this.#tries = 0;
		if (!waits || progress !== this.#lastProgress) this.#aliveAt = Date.now();
		else if (Date.now() - this.#aliveAt >= STALL_MS) this.#recover();
		this.#lastProgress = progress;
	}

	/** Only one player of a page sounds. @param {any} event */
	#giveWay = (event) => {
		if (event.detail !== this && this.wanted) this.pause();
	};
}
