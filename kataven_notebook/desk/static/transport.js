// The row of buttons under the sound: play, time, region, speed, loop, volume, save; and those that zoom.
import { clock, spanText } from "./clock.js";
import { element, icon, iconButton, setPressed, span } from "./dom.js";
import { SPEEDS } from "./speaker.js";

/**
 * @typedef {object} TransportEvents
 * @property {() => void} toggle
 * @property {(factor: number) => void} zoom
 * @property {() => void} save
 * @property {() => void} skip silence from now on, or no more
 * @property {() => void} clear the region
 */

export class Transport {
	node;
	/** The buttons that zoom: they belong to the picture, not to the sound. */
	zoom;
	#speaker;
	#on;
	#play;
	#save;
	#loop;
	#speed;
	#mute;
	#volume;
	#skip;
	/** What the volume was before it was switched off. */
	#loud = 1;
	#time = span("time");
	#length = span("faint");
	#region = span("region");

	/** @param {import("./speaker.js").Speaker} speaker @param {TransportEvents} on */
	constructor(speaker, on, download = false) {
		this.#speaker = speaker;
		this.#on = on;
		this.#play = iconButton("play", "Play", on.toggle, "Space", "icon main");
		this.#save = iconButton("save", "Save this call", on.save);
		this.#loop = iconButton("loop", "Loop", () => this.toggleLoop(), "R");
		const options = SPEEDS.map((each) => element("option", { value: each }, `${each}×`));
		const change = () => speaker.choose(Number(this.#speed.value));
		this.#speed = element("select", { label: "Speed", title: "Speed ([ and ])", change }, ...options);
		this.#skip = iconButton("skip", "Skip silence", on.skip, "G");
		this.#mute = iconButton("volume", "Mute", () => this.#toggleMute());
		const input = () => speaker.set({ volume: Number(this.#volume.value) });
		const range = { type: "range", max: 1, step: 0.05, label: "Volume", title: "Volume (↑ and ↓)", input };
		this.#volume = element("input", range);
		this.node = element("div", { class: "transport", role: "group", label: "Playback" },
			span("set", this.#play, this.#time, this.#length), this.#region, span("gap"),
			span("set", this.#speed, this.#skip, this.#loop), span("set tight", this.#mute, this.#volume),
			...(download ? [this.#save] : []));
		this.zoom = element("div", { class: "set zoom", role: "group", label: "Zoom" },
			iconButton("out", "Zoom out", () => on.zoom(2), "−"), iconButton("in", "Zoom in", () => on.zoom(0.5), "+"),
			iconButton("all", "Show the whole call", () => on.zoom(Infinity), "0"));
	}

	/** @param {boolean} disabled the call can't be heard */
	disable(disabled) {
		this.#play.disabled = this.#save.disabled = disabled;
		this.zoom.hidden = disabled;
	}

	toggleLoop() {
		this.#speaker.set({ loop: !this.#speaker.loop });
	}

	/** Show what the speaker does. */
	show(duration = 0, skips = false) {
		const { wanted, loop, speed, volume } = this.#speaker;
		this.#play.replaceChildren(icon(wanted ? "pause" : "play"));
		this.#play.setAttribute("aria-label", wanted ? "Pause" : "Play");
		setPressed(this.#loop, loop);
		setPressed(this.#skip, skips);
		[this.#speed.value, this.#volume.value] = [speed, volume].map(String);
		this.#mute.replaceChildren(icon(volume ? "volume" : "muted"));
		setPressed(this.#mute, !volume);
		this.#length.textContent = duration ? `/ ${clock(Math.round(duration))}` : "";
	}

	showTime(at = 0) {
		this.#time.textContent = clock(at, 1);
	}

	/** @param {Span | null} region */
	showRegion(region) {
		this.#region.hidden = !region;
		if (region) this.#region.replaceChildren(spanText(region), iconButton("close", "Clear the region", this.#on.clear, "Esc"));
	}

	#toggleMute() {
		const { volume } = this.#speaker;
		this.#speaker.set({ volume: volume ? 0 : this.#loud });
		this.#loud = volume || this.#loud;
	}
}
