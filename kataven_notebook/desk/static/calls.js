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

/** Whether nothing of a call has to be sent again. @param {Call | undefined} call */
export const isWhole = (call) => call?.sound instanceof Blob && Boolean(call.isDrawn);

/**
 * What has come of the delivery that a message belongs to; nothing where a newer one has begun. Several may be under
 * way at once, as views and clicks ask for a call, and what was sent twice must not be joined.
 * @param {Call} call @param {number} delivery
 */
function arriving(call, delivery) {
	if (delivery > (call.arriving?.delivery ?? 0)) call.arriving = { delivery, bins: 0, parts: [] };
	return call.arriving?.delivery === delivery ? call.arriving : undefined;
}

/** Add a block of peaks: for each channel a byte a bin. @param {Call} call @param {any} message @param {DataView} data */
export function addPeaks(call, message, data) {
	const come = arriving(call, message.delivery);
	if (!come || come.bins !== message.first_bin) return;
	const { channels, total_bins: total } = message;
	const bins = data.byteLength / channels;
	// The picture of an earlier delivery stays until this one is drawn over it.
	const fits = call.peaks?.length === channels && call.peaks?.[0].length === total;
	const peaks = (fits && call.peaks) || Array.from({ length: channels }, () => new Uint8Array(total));
	call.loudest = Math.max((come.bins && call.loudest) || 0, message.loudest);
	[call.peaks, call.bins_per_s] = [peaks, message.bins_per_s];
	for (const [channel, lane] of peaks.entries()) {
		const part = new Uint8Array(data.buffer, data.byteOffset + channel * bins, bins);
		lane.set(part.subarray(0, clamp(total - come.bins)), come.bins);
	}
	come.bins += bins;
	call.isDrawn = come.bins >= total;
}

/**
 * Add a part of the sound; return whether the call has new sound now, or that it did not come whole.
 * @param {Call} call @param {any} message @param {DataView} data
 */
export function addSound(call, { delivery, part, parts, total_bytes, mime, decoded, file }, data) {
	const come = arriving(call, delivery);
	if (!come?.parts || (call.sound instanceof Blob && !decoded)) return "";
	if (come.parts.length === part) come.parts.push(/** @type {BlobPart} */ (data));
	if (part < parts - 1) return "";
	const sound = new Blob(come.parts, { type: mime });
	come.parts = undefined;
	if (sound.size !== total_bytes) return "broken";
	[call.sound, call.file] = [sound, file];
	return "whole";
}
