// What sounds: one audio element at a time, and what keeps it playing when its URL dies.
import { clamp } from "./clock.js";
import { Mixer } from "./mixer.js";
import { prefer, preferences } from "./preferences.js";

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3];
// A listener reads within two seconds why nothing is heard: so long without progress, then so long for the kernel.
const STALL_MS = 900;
const GRACE_MS = 750;
const WATCH_EVERY_MS = 200;
const MAX_TRIES = 3;
const LATE = "No sound has come yet, and the kernel is too busy to say why. It plays when it comes; Play tries again.";
const PLAY_EVENT = "kataven-player-sounds";

/**
 * @typedef {object} SpeakerEvents
 * @property {() => void} change
 * @property {(again: boolean) => void} needUrl `again`: what the kernel sent last gave no sound
 * @property {() => void} needSound
 * @property {() => void} cantPlay
 * @property {(text: string) => void} say
 */

export class Speaker {
	/** What the listener wants; the element's own state lags behind it. */
	wanted = false;
	speed = SPEEDS.find((each) => each === preferences().speed) ?? 1;
	volume = 1;
	loop = false;
	/** @type {Span | null} */
	region = null;

	/** @type {SpeakerEvents} */
	#on;
	#audio = new Audio();
	#mixer = new Mixer(this.#audio);
	#listening = new AbortController();
	/** @type {Sound | undefined} */
	#sound;
	/** A fresh URL for when the one in use fails. @type {Sound | undefined} */
	#spare;
	/** Where to go once the element has sound. @type {number | undefined} */
	#target;
	#objectUrl = "";
	/** Whether the kernel was asked why nothing comes; it is not asked twice for one cause. */
	#asked = false;
	#tries = 0;
	#grace = 0;
	/** Whether the listener was told that nothing comes: Play tries again. */
	#failed = false;
	/** Whether sound that comes late starts, though Play is shown. */
	#resumes = false;
	#aliveAt = 0;
	#lastProgress = 0;
	#timer = 0;

	/** @param {SpeakerEvents} on */
	constructor(on) {
		this.#on = on;
		window.addEventListener(PLAY_EVENT, this.#giveWay);
	}

	dispose() {
		clearInterval(this.#timer);
		window.removeEventListener(PLAY_EVENT, this.#giveWay);
		this.open(undefined, 0, []);
	}

	get position() {
		return this.#target ?? this.#audio.currentTime;
	}

	/** In seconds; 0 while it is unknown. */
	get duration() {
		return Number.isFinite(this.#audio.duration) ? this.#audio.duration : 0;
	}

	/** Turn to another call. @param {Sound | undefined} sound @param {number} at @param {number[]} gains */
	open(sound, at, gains) {
		[this.#failed, this.#resumes, this.#tries] = [false, false, 0];
		this.load(sound, at, gains);
	}

	/**
	 * Take another sound. It gets an element of its own, so that late events of the old one are told apart.
	 * @param {Sound | undefined} sound @param {number} at @param {number[]} gains
	 */
	load(sound, at, gains) {
		const [old, audio] = [this.#audio, new Audio()];
		this.#audio = audio;
		old.pause();
		old.removeAttribute("src");
		old.load();
		URL.revokeObjectURL(this.#objectUrl);
		clearTimeout(this.#grace);
		this.#mixer.close();
		// An element that WebAudio once carried lives as long as the page, and would keep its listeners.
		this.#listening.abort();
		this.#listening = new AbortController();
		this.#mixer = new Mixer(audio);
		[this.#sound, this.#spare, this.#asked, this.#target] = [sound, undefined, false, at];
		this.#aliveAt = Date.now();
		if (!sound) return;
		this.#listen(audio);
		if (sound instanceof Blob) this.#objectUrl = URL.createObjectURL(sound);
		audio.src = sound instanceof Blob ? this.#objectUrl : sound.url;
		this.set({});
		this.mix(gains);
		if (this.wanted || this.#resumes) this.#start();
	}

	play() {
		this.wanted = true;
		window.dispatchEvent(new CustomEvent(PLAY_EVENT, { detail: this }));
		const { region, loop } = this;
		if (this.#audio.ended || (loop && region && this.position >= region.end)) this.seek(region?.start ?? 0);
		this.#aliveAt = Date.now();
		if (this.#failed) this.#tryAgain();
		else if (this.#spare) this.#recover();
		if (this.#sound) this.#start();
		this.#on.change();
	}

	pause() {
		this.wanted = this.#resumes = false;
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

	/** The listener's own choice, which the next player has too. */
	choose(speed = 1) {
		prefer({ speed });
		this.set({ speed });
	}

	faster(steps = 1) {
		this.choose(SPEEDS[clamp(SPEEDS.indexOf(this.speed) + steps, 0, SPEEDS.length - 1)]);
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
	}

	/** Say why nothing is heard, unless something is; Play is Play again, and sound that still comes starts. */
	fail(text = "") {
		const isFine = this.#sound instanceof Blob ? !this.#audio.error : this.#sound && !this.#asked;
		if (isFine) return;
		clearTimeout(this.#grace);
		this.#failed = true;
		this.#resumes ||= this.wanted;
		this.wanted = false;
		this.#on.say(text);
		this.#on.change();
	}

	/** @param {HTMLAudioElement} audio */
	#listen(audio) {
		const events = {
			seeked: () => this.#on.change(),
			loadedmetadata: () => this.#goToTarget(),
			playing: () => this.#arrived(),
			ended: () => (this.loop && this.wanted ? this.play() : this.pause()),
			error: () => this.#fail(),
		};
		for (const [name, act] of Object.entries(events))
			audio.addEventListener(name, () => audio === this.#audio && act(), { signal: this.#listening.signal });
	}

	#goToTarget() {
		if (this.#target !== undefined) this.#audio.currentTime = this.#target;
		this.#target = undefined;
		this.#arrived();
	}

	/** Sound has come, perhaps late. */
	#arrived() {
		clearTimeout(this.#grace);
		if (this.#failed) this.#on.say("");
		this.#failed = false;
		if (!this.#audio.paused) this.wanted ||= this.#resumes;
		this.#on.change();
	}

	/** Nothing comes: go on with a fresh URL, the one at hand or one to ask for. */
	#fail() {
		this.#target = this.position;
		if (this.#sound instanceof Blob) this.#on.cantPlay();
		else if (this.#spare && this.#tries < MAX_TRIES) this.#recover();
		else if (!this.#asked) {
			this.#asked = true;
			this.#on.needUrl(this.#tries > 0);
			this.#grace = setTimeout(() => this.fail(LATE), GRACE_MS);
		}
	}

	#start() {
		this.#mixer.resume();
		this.#audio.play().catch((error) => {
			if (error.name !== "NotAllowedError") return;
			this.pause();
			this.#on.say("The browser plays only after a click: press Play.");
		});
	}

	#recover() {
		this.#tries++;
		this.load(this.#spare, this.position, []);
	}

	/** The listener presses Play where nothing came. */
	#tryAgain() {
		this.#on.say("");
		if (!this.#sound) this.#on.needSound();
		[this.#failed, this.#tries] = [false, 0];
		if (this.#sound) this.load(this.#spare ?? this.#sound, this.position, []);
	}

	/** Watch while there is something to wait for: an idle player has no timer. */
	watch() {
		const { seeking, readyState } = this.#audio;
		const isNeeded = this.#sound && !(this.#sound instanceof Blob) && (this.wanted || seeking || !readyState);
		if (isNeeded) this.#timer ||= setInterval(() => this.#watch(), WATCH_EVERY_MS);
		else clearInterval(this.#timer), (this.#timer = 0);
	}

	/** Chromium reports a dead URL only after half a minute: so progress is watched. */
	#watch() {
		if (!this.#sound || this.#sound instanceof Blob || this.#audio.error || document.hidden) return;
		const { buffered, currentTime, readyState, seeking } = this.#audio;
		const progress = currentTime + (buffered.length && buffered.end(buffered.length - 1));
		const plays = this.wanted || this.#resumes;
		const waits = seeking || !readyState || (plays && readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
		if (!waits) [this.#tries, this.#asked] = [0, false];
		if (!waits || progress !== this.#lastProgress) this.#aliveAt = Date.now();
		else if (Date.now() - this.#aliveAt >= STALL_MS) this.#fail();
		this.#lastProgress = progress;
	}

	/** Only one player of a page sounds. @param {any} event */
	#giveWay = (event) => {
		if (event.detail !== this && (this.wanted || this.#resumes)) this.pause();
	};
}
