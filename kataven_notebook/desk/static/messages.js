// What is done with each type of message from the kernel.
import { addPeaks, addSound } from "./calls.js";
import { addWords } from "./words.js";

/** @typedef {(message: any, known: Call | undefined, data: DataView) => void} Handler */

/** @param {import("./player.js").Player} player @returns {Record<string, Handler>} */
export const messageHandlers = (player) => ({
	rows(message) {
		if (message.viewer === player.viewer) player.list.receive(message);
	},
	ahead: (message) => player.calls.add(message),
	call: (message, known) => player.receiveCall(message, known),
	facts(message, known) {
		if (known) Object.assign(known, message.facts);
		if (known === player.call) player.show();
	},
	peaks(message, known, data) {
		if (!known) return;
		addPeaks(known, message, data);
		if (known === player.call) player.timeline.draw();
	},
	sound(message, known, data) {
		const came = known && addSound(known, message, data);
		if (known !== player.call) return;
		if (came === "whole") player.load();
		if (came === "broken") player.want();
	},
	look: (message, _known, data) => player.timeline.receive(message, data),
	moments: (message) => player.moments.receive(message),
	words(message, known) {
		if (known) addWords(known, message);
		if (known === player.call) player.showWords();
	},
	url({ url }, known) {
		if (known && known === player.call) player.receiveUrl(url);
	},
	labels(message, known) {
		if (known) Object.assign(known, message);
		player.link.settle(message.op);
		player.list.relabel(message.key, message.label_text);
		player.show();
	},
	problem(message, known) {
		if (message.op) player.link.refused(message);
		else if (known !== player.call) return;
		else if (message.is_silent) player.fail(message.text);
		else player.say(message.text);
	},
	pong: () => {},
	command({ name, position_s: to, speed }) {
		if (name === "seek") player.seek(to);
		else if (name === "speed") player.speaker.set({ speed });
		else if ((name === "play") !== player.speaker.wanted) player.toggle();
	},
});
