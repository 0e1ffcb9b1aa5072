// The calls that were lately open, with the sound and the peaks that have arrived of each.
import { clamp } from "./clock.js";

const MAX_CALLS = 6;

export class Calls {
	/** The last opened comes last. @type {Map<number, Call>} */
	#calls = new Map();

	/** @param {number} key */
	get(key) {
		return this.#calls.get(key);
	}

	/** Keep a call that may come next. @param {Call} call */
	add(call) {
		if (!this.#calls.has(call.key)) this.#calls.set(call.key, call);
	}

	/** @param {Call} call */
	open(call) {
		this.#calls.delete(call.key);
		this.#calls.set(call.key, call);
		for (const key of this.#calls.keys()) if (this.#calls.size > MAX_CALLS) this.#calls.delete(key);
		// A URL may have expired since; the kernel sends another one.
		if (!(call.sound instanceof Blob)) call.sound = undefined;
	}
}

/** Add a block of peaks: for each channel a byte a bin. @param {Call} call @param {any} message @param {DataView} data */
export function addPeaks(call, message, data) {
	call.bins_per_s = message.bins_per_s;
	call.loudest = Math.max(call.loudest ?? 0, message.loudest);
	call.peaks ??= Array.from({ length: message.channels }, () => new Uint8Array(message.total_bins));
	const bins = data.byteLength / message.channels;
	call.peaks.forEach((peaks, channel) => {
		const part = new Uint8Array(data.buffer, data.byteOffset + channel * bins, bins);
		peaks.set(part.subarray(0, clamp(peaks.length - message.first_bin)), message.first_bin);
	});
}

/** Add a part of the sound; return whether the call has new sound now. @param {Call} call @param {any} message @param {DataView} data */
export function addSound(call, { part, parts, mime, decoded, file }, data) {
	if (!part) call.parts = [];
	call.parts?.push(/** @type {BlobPart} */ (data));
	if (call.parts?.length !== parts || (call.sound instanceof Blob && !decoded)) return false;
	call.sound = new Blob(call.parts, { type: mime });
	call.file = file;
	return true;
}
