// The row of buttons under the sound: play, step, speed, loop, volume, zoom, save; and the time.
import { clock, spanText } from "./clock.js";
import { element, icon, iconButton, setPressed, span } from "./dom.js";
import { SPEEDS } from "./speaker.js";

/**
 * @typedef {object} TransportEvents
 * @property {() => void} toggle
 * @property {(rows: number) => void} step
 * @property {(factor: number) => void} zoom
 * @property {() => void} save
 * @property {() => void} clear the region
 */

export class Transport {
	node;
	#speaker;
	#on;
	#play;
	#loop;
	#speed;
	#volume;
	#time = span("time");
	#length = span("faint");
	#region = span("region");

	/** @param {import("./speaker.js").Speaker} speaker @param {TransportEvents} on */
	constructor(speaker, on, download = false) {
		this.#speaker = speaker;
		this.#on = on;
		this.#play = iconButton("play", "Play", on.toggle, "Space", "icon main");
		this.#loop = iconButton("loop", "Loop", () => this.toggleLoop(), "R");
		const options = SPEEDS.map((each) => element("option", { value: each }, `${each}×`));
		const change = () => speaker.set({ speed: Number(this.#speed.value) });
		this.#speed = element("select", { label: "Speed", title: "Speed ([ and ])", change }, ...options);
		const input = () => speaker.set({ volume: Number(this.#volume.value) });
		this.#volume = element("input", { type: "range", max: 1, step: 0.05, label: "Volume", input });
		this.node = element("div", { class: "transport", role: "group", label: "Playback" },
			span("set", iconButton("previous", "Previous call", () => on.step(-1), "P", "icon many"), this.#play,
				iconButton("next", "Next call", () => on.step(1), "N", "icon many")),
			span("set", this.#time, this.#length), this.#region, span("gap"),
			span("set", this.#speed, this.#loop, this.#volume),
			span("set", iconButton("out", "Zoom out", () => on.zoom(2), "−"), iconButton("in", "Zoom in", () => on.zoom(0.5), "+"),
				...(download ? [iconButton("save", "Save this call", on.save)] : [])));
	}

	/** @param {boolean} disabled the call can't be heard */
	disable(disabled) {
		this.#play.disabled = disabled;
	}

	toggleLoop() {
		this.#speaker.set({ loop: !this.#speaker.loop });
	}

	/** Show what the speaker does. */
	show(duration = 0) {
		const { wanted, loop, speed, volume } = this.#speaker;
		this.#play.replaceChildren(icon(wanted ? "pause" : "play"));
		this.#play.setAttribute("aria-label", wanted ? "Pause" : "Play");
		setPressed(this.#loop, loop);
		[this.#speed.value, this.#volume.value] = [speed, volume].map(String);
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
}
