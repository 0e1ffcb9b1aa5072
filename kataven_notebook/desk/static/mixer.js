// How loud each channel of a sound is.

/** One a page, as browsers allow few. @returns {AudioContext} */
const audioContext = () => (/** @type {any} */ (globalThis).katavenAudio ??= new AudioContext());

/** The channels of one audio element; WebAudio carries its sound from the first gain that is not 1. */
export class Mixer {
	/** @type {GainNode[]} */
	#gainNodes = [];
	#audio;
	/** @type {AudioNode[]} */
	#nodes = [];

	/** @param {HTMLAudioElement} audio */
	constructor(audio) {
		this.#audio = audio;
	}

	/** @param {number[]} gains one a channel */
	set(gains, playing = false) {
		if (!this.#gainNodes.length) {
			if (gains.every(Boolean)) return;
			this.#connect(gains.length);
		}
		if (playing) this.resume();
		this.#gainNodes.forEach((node, channel) => (node.gain.value = gains[channel]));
	}

	/** Browsers start the sound of a page suspended until somebody clicks. */
	resume() {
		if (this.#gainNodes.length) audioContext().resume();
	}

	/** Let go of the audio element, which the graph would keep for as long as the page is open. */
	close() {
		for (const node of this.#nodes) node.disconnect();
	}

	#connect(channels = 0) {
		const context = audioContext();
		const splitter = context.createChannelSplitter(channels);
		const merger = context.createChannelMerger(2);
		const source = context.createMediaElementSource(this.#audio);
		source.connect(splitter);
		this.#gainNodes = Array.from({ length: channels }, (_, channel) => {
			const node = context.createGain();
			splitter.connect(node, channel);
			// Two channels are left and right; one, or more than two, are heard on both sides.
			for (const side of channels === 2 ? [channel] : [0, 1]) node.connect(merger, 0, side);
			return node;
		});
		merger.connect(context.destination);
		this.#nodes = [source, splitter, ...this.#gainNodes, merger];
	}
}
