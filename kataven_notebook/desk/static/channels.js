// The names of the channels, each with Solo and Mute.
import { button, div, element, setPressed } from "./dom.js";

export class Channels {
	node = div("channels");
	#changed;
	/** @type {Call | undefined} */
	#call;
	/** @type {Record<string, Set<number>>} */
	#chosen = { Solo: new Set(), Mute: new Set() };

	/** @param {() => void} changed */
	constructor(changed) {
		this.#changed = changed;
	}

	/** How loud each channel is to be: 0 or 1. */
	get gains() {
		const { Solo, Mute } = this.#chosen;
		const sounds = (channel = 0) => !Mute.has(channel) && (!Solo.size || Solo.has(channel));
		return Array.from({ length: this.#call?.channels ?? 0 }, (_, channel) => Number(sounds(channel)));
	}

	/** Begin with another call, all of it heard. @param {Call} call */
	open(call) {
		this.#call = call;
		for (const each of Object.values(this.#chosen)) each.clear();
	}

	show() {
		const count = this.#call?.channels ?? 0;
		this.node.replaceChildren(...Array.from({ length: count }, (_, channel) => this.#channelNode(channel, count)));
	}

	#channelNode(channel = 0, count = 1) {
		const name = this.#call?.names?.[channel] ?? `Channel ${channel}`;
		const mixers = Object.keys(this.#chosen).map((verb) => this.#mixButton(verb, name, channel));
		return element("div", { class: `channel ${this.#call?.roles?.[channel] || `c${channel % 2}`}` },
			element("span", { class: "name", title: name }, name),
			element("span", { hidden: count < 2 }, ...mixers));
	}

	#mixButton(verb = "", name = "", channel = 0) {
		const chosen = this.#chosen[verb];
		// The sound of a URL can't be mixed: the browser gives its samples to the storage's own pages alone.
		const disabled = Boolean(this.#call?.sound && !(this.#call.sound instanceof Blob));
		const title = disabled ? "Needs the sound: run audio()" : "";
		const click = () => {
			if (!chosen.delete(channel)) chosen.add(channel);
			setPressed(node, chosen.has(channel));
			this.#changed();
		};
		const node = button({ class: "mix", disabled, label: `${verb} ${name}`, title, click }, verb[0]);
		setPressed(node, chosen.has(channel));
		return node;
	}
}
